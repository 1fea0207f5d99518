// The sites of the tests: pages on another origin than the edge, one for each way of embedding.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

/** The content security policy of a page, where it has one. */
const POLICIES = {
  "strict-csp": (edge) =>
    `default-src 'none'; script-src ${edge} 'wasm-unsafe-eval'; connect-src ${edge}`,
  "nonce-csp": (edge) =>
    `default-src 'none'; script-src 'nonce-once' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src ${edge}`,
  "no-wasm-csp": (edge) => `default-src 'none'; script-src ${edge}; connect-src ${edge}; frame-src ${edge}`,
  "no-frame-csp": (edge) => `default-src 'none'; script-src ${edge}; connect-src ${edge}`,
  "trusted-types": () => "require-trusted-types-for 'script'; trusted-types 'none'",
};

export async function servePages(edge) {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://page");
    // What follows the page's name is there for rules about addresses.
    const name = pathname.split("/")[1];
    let page;
    try {
      page = readFileSync(join(import.meta.dirname, "pages", `${name}.html`), "utf8");
    } catch {
      response.writeHead(404).end();
      return;
    }
    const policy = POLICIES[name]?.(edge);
    if (policy) response.setHeader("content-security-policy", policy);
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page.replaceAll("{edge}", edge).replaceAll("{site}", searchParams.get("site")));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: (name, site, query = "") =>
      `http://127.0.0.1:${server.address().port}/${name}?site=${site}&token=secret${query}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
