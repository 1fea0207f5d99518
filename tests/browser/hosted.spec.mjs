// The hosted page as a browser without scripts shows it.

import { KINDS, notice, survey } from "./kinds.mjs";
import { expect, test } from "./test.mjs";

test.use({ javaScriptEnabled: false });

for (const [scale, shownAs, values] of KINDS) {
  test.describe(`${scale} as ${shownAs}`, () => {
    test.use({ definition: survey("en", scale, shownAs), settings: { notice: notice("en") } });

    test("is answered on the hosted page without scripts", async ({ page, deployment, live }) => {
      await page.goto(`${deployment.url}/s/${live.site}/${live.survey}`);
      const radios = page.getByRole("radio");
      const button = (name) => page.getByRole("button", { name });
      await expect(radios).toHaveCount(values);
      await button("Next").click();
      await expect(page.getByRole("alert"), "a score is asked for").toBeVisible();
      await radios.last().check();
      await button("Next").click();
      await page.getByRole("textbox").fill("First thoughts.");
      await button("Back").click();
      await expect(radios.last()).toBeChecked();
      await button("Next").click();
      await expect(page.getByRole("textbox")).toHaveValue("First thoughts.");
      await page.getByRole("textbox").fill("Short ways.");
      await button("Send").click();
      await expect(page.getByText("Thank you for your answer!")).toBeVisible();
      await page.reload();
      const summary = { n: 1, score: scale === "nps" ? 100 : 1, funnel: { completed: 1, seen: null } };
      await expect.poll(live.summary).toMatchObject(summary);
    });
  });
}
