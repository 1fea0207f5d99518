// React's own rendering of a page: on the server, and over that in the browser.

import { buildSync } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { Page } from "./pages/react.mjs";

/** The page as the server renders it. It is taken over when the page's function `hydrate` is called. */
export function reactPage(values) {
  const script = `
    import { createElement } from "react";
    import { hydrateRoot } from "react-dom/client";
    import { Page } from "./pages/react.mjs";
    window.hydrate = () => hydrateRoot(document, createElement(Page, ${JSON.stringify(values)}));`;
  const { outputFiles } = buildSync({
    stdin: { contents: script, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const page = renderToString(createElement(Page, values));
  return `<!doctype html>${page.replace("</head>", () => `<script>${outputFiles[0].text}</script></head>`)}`;
}
