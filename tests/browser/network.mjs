// A network between browser and edge that can fail, as real sockets do: a proxy on an origin of its own.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { buffer } from "node:stream/consumers";

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "asklet, retry-after" };

/** What the edge sends besides, and nobody else. */
const OWN = { ...CORS, asklet: "1" };

/** Each thing that can happen to a display on its way; `forward` resolves to the edge's answer. */
export const FAULTS = {
  /** The connection ends before the edge has heard of anything. */
  cut: (outgoing) => outgoing.destroy(),

  /** The edge took it, and the connection ends before its answer is back. */
  async unheard(outgoing, forward) {
    await forward();
    outgoing.destroy();
  },

  /** The edge took it, and its answer never comes. */
  async silent(outgoing, forward) {
    await forward();
  },

  /** The server's own failure, as the page may read it. */
  failure: (outgoing) => outgoing.writeHead(500, OWN).end(),

  /** The failure of a gateway, which knows nothing of other origins. */
  gateway: (outgoing) => outgoing.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>"),

  /** A server that wants to be left alone for longer than a timer can count. */
  patience: (outgoing) => outgoing.writeHead(503, { ...OWN, "retry-after": "2592000" }).end(),

  /** An answer that no repetition will change. */
  refusal: (outgoing) =>
    outgoing
      .writeHead(422, { ...OWN, "content-type": "application/problem+json" })
      .end(JSON.stringify({ code: "score_off_scale", detail: "the score is not on the scale" })),

  /** A captive portal's page in the place of whatever was asked for. */
  portal: (outgoing) => outgoing.writeHead(200, { ...CORS, "content-type": "text/html" }).end("<h1>Please log in</h1>"),

  /** An answer without content, as an ad blocker's proxy makes it. */
  sink: (outgoing) => outgoing.writeHead(204, CORS).end(),

  /** A firewall's refusal, which says nothing of what the edge would say. */
  firewall: (outgoing) => outgoing.writeHead(403, { ...CORS, "content-type": "text/html" }).end("<h1>Forbidden</h1>"),
};

/**
 * Forwards to a deployment, and keeps what was asked of it, and the states of displays that it answered. While
 * `fault` is set, that is what happens to displays, and while `configFault` is set, to the config. `wire` lies before it.
 */
export async function startNetwork(deployment, wire) {
  const network = { fault: undefined, configFault: undefined, posts: 0, asked: [], collected: [] };
  const pass = (incoming, outgoing) => {
    const { method, headers, url } = incoming;
    network.asked.push(`${method} ${url}`);
    const isDisplay = method === "POST" && url.startsWith("/v1/collect/");
    const forward = async () => {
      const body = await buffer(incoming);
      // A connection of its own: one that was kept may be closed by the server just then.
      const onward = request(deployment.url + url, { method, headers, agent: false }).end(body);
      const [answer] = await once(onward, "response");
      return { answer, body };
    };
    const relay = async () => {
      const { answer, body } = await forward();
      const status = answer.statusCode;
      if (isDisplay) outgoing.on("finish", () => network.collected.push({ display: JSON.parse(body), status }));
      answer.pipe(outgoing.writeHead(status, answer.headers));
    };
    if (isDisplay) network.posts += 1;
    const happens = (isDisplay ? network.fault : url.startsWith("/v1/config/") && network.configFault) || relay;
    const handled = Promise.resolve(happens(outgoing, forward));
    // The edge is down, or the browser went away.
    handled.catch(() => outgoing.destroy());
  };
  const server = createServer(wire.before(pass));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  network.url = `http://localhost:${server.address().port}`;
  network.close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return network;
}
