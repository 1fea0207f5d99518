// The sites of the tests: pages on another origin than the edge, one for each way of embedding.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { namedElements } from "./names.mjs";
import { reactPage } from "./react.mjs";

/** Packages whose files pages load, by the first part of their address. */
const PACKAGES = {
  bootstrap: "bootstrap/dist",
  "focus-trap": "focus-trap/dist",
  htmx: "htmx.org/dist",
  htmx4: "htmx.org-4/dist",
  swup: "swup/dist",
  tabbable: "tabbable/dist",
  turbo: "@hotwired/turbo/dist",
  turbolinks: "turbolinks/dist",
  unpoly: "unpoly",
  "~partytown": "@qwik.dev/partytown/lib",
};
const MODULES = join(import.meta.dirname, "../../node_modules");
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8" };

/** Other headers of a page, where it has any. */
const HEADERS = {
  "isolated-no-wasm-csp": { "cross-origin-embedder-policy": "require-corp" },
  "credentialless-no-wasm-csp": { "cross-origin-embedder-policy": "credentialless" },
  "reporting-no-wasm-csp": { "content-security-policy-report-only": "frame-src 'self'" },
  xhtml: { "content-type": "application/xhtml+xml" },
};

/** The content security policy of a page, where it has one. */
const POLICIES = {
  "strict-csp": (edge) =>
    `default-src 'none'; script-src ${edge} 'wasm-unsafe-eval'; connect-src ${edge}`,
  "nonce-csp": (edge) =>
    `default-src 'none'; script-src 'nonce-once' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src ${edge}`,
  "no-wasm-csp": (edge) => `default-src 'none'; script-src ${edge}; connect-src ${edge}; frame-src ${edge}`,
  "no-frame-csp": (edge) => `default-src 'none'; script-src ${edge}; connect-src ${edge}`,
  "isolated-no-wasm-csp": (edge) => POLICIES["no-wasm-csp"](edge),
  "credentialless-no-wasm-csp": (edge) => POLICIES["no-wasm-csp"](edge),
  "reporting-no-wasm-csp": (edge) => POLICIES["no-wasm-csp"](edge),
  "trusted-types": () => "require-trusted-types-for 'script'; trusted-types 'none'",
};

/** Serves the pages with the tag of an edge. Each begins with the scripts, which its policy is made to allow. */
export async function servePages(edge, initScripts, wire) {
  const answer = (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://page");
    // What follows the page's name is there for rules about addresses.
    const [, name, ...rest] = pathname.split("/");
    const isFile = name in PACKAGES && extname(pathname);
    const file = isFile ? join(MODULES, PACKAGES[name], ...rest) : join(import.meta.dirname, "pages", `${name}.html`);
    const values = { edge, site: searchParams.get("site"), here: rest.at(-1) };
    let content;
    try {
      content = name === "react" ? reactPage(values) : readFileSync(file, "utf8");
      if (content.includes("{named}")) content = content.replace("{named}", namedElements());
    } catch {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", TYPES[extname(file)]);
    for (const [header, value] of Object.entries(HEADERS[name] ?? {})) response.setHeader(header, value);
    const policy = POLICIES[name]?.(edge);
    if (policy) response.setHeader("content-security-policy", allowing(initScripts, policy));
    if (!isFile) {
      for (const [key, value] of Object.entries(values)) content = content.replaceAll(`{${key}}`, value);
      const scripts = initScripts.map((text) => `<script>${text}</script>`).join("");
      content = content.replace(/(?=<title>)/, () => scripts);
    }
    response.end(content);
  };
  const server = createServer(wire.before(answer));
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

/** A policy that lets these scripts run, and is otherwise the same. */
function allowing(scripts, policy) {
  const hashes = scripts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  return policy.replace("script-src", ["script-src", ...hashes].join(" "));
}
