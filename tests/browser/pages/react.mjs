// A page that React renders on the server as a whole document, and takes over in the browser. There its
// heading says something else, so React renders the document anew.

import { createElement } from "react";

const isServer = typeof document === "undefined";

export function Page({ edge, site }) {
  return createElement(
    "html",
    { lang: "en" },
    createElement(
      "head",
      null,
      createElement("title", null, "React"),
      createElement("script", { async: true, src: `${edge}/asklet.js`, "data-site": site }),
    ),
    createElement("body", null, createElement("h1", null, isServer ? "From the server" : "From the browser")),
  );
}
