// Calls a deployment by openapi-fetch and the types that openapi-typescript made beside this file.

import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

declare const process: { env: Record<string, string> };

type Schemas = components["schemas"];

const { ASKLET_URL, SITE: site, SURVEY: survey, KEY } = process.env;
const client = createClient<paths>({ baseUrl: ASKLET_URL, headers: { authorization: `Bearer ${KEY}` } });
const display = "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f";
let calls = 0;

/** What an answer holds that has this status. */
async function expect<T>(status: number, answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
  calls += 1;
  return data as T;
}

function check(holds: boolean, what: string) {
  if (!holds) throw new Error(what);
}

// Nothing that has a default has to be said.
const definition: Schemas["DefinitionInput"] = {
  name: "Effort",
  questions: [{ id: "effort", text: "How easy?", answer: { rating: { scale: "ces_7", low: "Hard", high: "Easy" } } }],
  primary: "effort",
  thanks: { text: "Thank you!" },
};
const params = { path: { site, survey } };

const record = await expect(200, client.GET("/v1/sites/{site}", { params: { path: { site } } }));
check(record.settings.origins[0] === "*", "origins");
const patch = client.PATCH("/v1/sites/{site}", { params: { path: { site } }, body: { rest_days: 14 } });
check((await expect(200, patch)).settings.rest_days === 14, "a patch");
const key = { name: "reader", scope: "read" } as const;
const made = await expect(201, client.POST("/v1/sites/{site}/keys", { params: { path: { site } }, body: key }));
check(made.scope === "read" && made.last_used === null, "a key");

const draft = client.POST("/v1/sites/{site}/surveys", { params: { path: { site } }, body: definition });
check((await expect(201, draft)).status === "draft", "a draft");
const published = await expect(200, client.POST("/v1/sites/{site}/surveys/{survey}/publish", { params }));
check(published.version === 2, "a version");

const lines = client.POST("/v1/sites/{site}/surveys/{survey}/import", {
  params,
  headers: { "content-type": "application/octet-stream" },
  body: `${JSON.stringify({ time: "2024-05-01T12:00:00Z", question: "score", score: 3 })}\n`,
  bodySerializer: (body) => body,
});
check((await expect(200, lines)).stored === 1, "an import");
const told: Schemas["Display"] = { id: display, revision: 1, version: 1, stage: "completed", answers: { score: 9 } };
const collect = client.POST("/v1/collect/{site}/{survey}/{shard}", {
  params: { path: { site, survey, shard: "0" } },
  body: told,
});
await expect(204, collect);

const summary = await expect(
  200,
  client.GET("/v1/sites/{site}/surveys/{survey}/summary", {
    params: { ...params, query: { from: "2024-01-01", interval: "quarter", where: ["channel:import", "channel:in_page"] } },
  }),
);
if (!("metric" in summary)) throw new Error("a rating's summary");
check(summary.n === 2 && summary.metric === "nps" && (summary.trend?.length ?? 0) > 1, "a summary");

const page = await expect(
  200,
  client.GET("/v1/sites/{site}/surveys/{survey}/responses", { params: { ...params, query: { limit: 1 } } }),
);
check(page.responses.length === 1, "a page");
const query = { category: ["promoter"] };
const found = await expect(200, client.POST("/v1/sites/{site}/surveys/{survey}/responses/query", { params, body: query }));
const country: string | null | undefined = found.responses[0]?.country;
check(country === null && found.responses[0]?.channel === "in_page", "a query");

const excluded = client.POST("/v1/sites/{site}/surveys/{survey}/displays/{display}/exclude", {
  params: { path: { site, survey, display } },
  body: { reason: "a test" },
});
await expect(204, excluded);
const table = client.GET("/v1/sites/{site}/surveys/{survey}/export", {
  params: { ...params, query: { format: "csv", excluded: false } },
  parseAs: "text",
});
check(String(await expect(200, table)).trim().split("\r\n").length === 2, "an export");

const { error } = await client.POST("/v1/sites/{site}/surveys/{survey}/shards", { params, body: { shards: 9 } });
check(error?.code === "invalid_settings" && error.limit === "1..=8", "a problem");
console.log(`the TypeScript client made ${calls + 1} calls`);
