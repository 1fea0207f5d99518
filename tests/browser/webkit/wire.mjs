// What a test has happen to the requests of a page, in front of the tests' own servers: WebDriver cannot tell of
// requests nor answer them, and WebKitGTK takes no proxy for this machine's own addresses.

import { once } from "node:events";
import { buffer } from "node:stream/consumers";

/** Marks a request by which a rule asks the server that it stands before. */
const PAST_RULES = "past-the-rules";

/** What an answer's body was packed in is no more once it was read. */
const PACKING = /^(content-(encoding|length)|transfer-encoding|connection|keep-alive)$/;

export class Wire {
  isCut = false;
  #rules = [];
  #listeners = [];

  /** A listener of a server that hears of requests only as far as the rules let it. */
  before(listen) {
    return (incoming, outgoing) => {
      const { url, method, headers } = incoming;
      if (headers[PAST_RULES]) return listen(incoming, outgoing);
      if (this.isCut) return outgoing.destroy();
      const address = `http://${headers.host}${url}`;
      const request = { url: () => address, method: () => method };
      this.#tell("request", request);
      const { promise: whole, resolve } = Promise.withResolvers();
      outgoing.on("finish", () => {
        this.#tell("response", { url: () => address, status: () => outgoing.statusCode, finished: () => whole });
        resolve();
      });
      const rule = this.#rules.findLast(({ matches }) => matches(address));
      if (!rule) return listen(incoming, outgoing);
      const route = new Route(incoming, outgoing, listen, address);
      // The browser may have gone away meanwhile.
      Promise.resolve(rule.handle(route)).catch(() => outgoing.destroy());
    };
  }

  route(glob, handle) {
    this.#rules.push({ glob, matches: matching(glob), handle });
  }

  unroute(glob) {
    this.#rules = this.#rules.filter((rule) => rule.glob !== glob);
  }

  on(event, tell) {
    this.#listeners.push({ event, tell });
  }

  /** Resolves to the next request or response at an address. */
  next(event, glob) {
    const matches = matching(glob);
    return new Promise((resolve) => this.on(event, (what) => matches(what.url()) && resolve(what)));
  }

  #tell(event, what) {
    for (const listener of this.#listeners) if (listener.event === event) listener.tell(what);
  }
}

/** A request that a rule decides on. */
class Route {
  #incoming;
  #outgoing;
  #listen;
  #address;

  constructor(incoming, outgoing, listen, address) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#listen = listen;
    this.#address = address;
  }

  abort() {
    this.#outgoing.destroy();
  }

  continue() {
    this.#listen(this.#incoming, this.#outgoing);
  }

  /** What the server answers. */
  async fetch() {
    const { method, headers: asked } = this.#incoming;
    const answer = await fetch(this.#address, { method, headers: { ...asked, [PAST_RULES]: "1" } });
    const body = Buffer.from(await answer.arrayBuffer());
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !PACKING.test(name)));
    return { status: answer.status, headers: () => headers, body: async () => body, json: async () => JSON.parse(body) };
  }

  /** Answers in the place of the server, so that any page may read it. */
  async fulfill({ response, json, contentType, ...given }) {
    const headers = { "access-control-allow-origin": "*", ...(given.headers ?? response?.headers()) };
    if (contentType) headers["content-type"] = contentType;
    const body = json ? JSON.stringify(json) : (given.body ?? (await response?.body()));
    this.#outgoing.writeHead(given.status ?? response?.status ?? 200, headers).end(body);
  }
}

/** Whether an address is as a pattern says, in which a star is anything within a part of it and two are anything. */
function matching(glob) {
  const pattern = glob.split("**").map((part) => part.split("*").map(RegExp.escape).join("[^/]*"));
  const regex = new RegExp(`^${pattern.join(".*")}$`);
  return (address) => regex.test(address);
}
