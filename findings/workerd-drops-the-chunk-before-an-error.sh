#!/usr/bin/env bash
# A stream that gives its last bytes and then breaks loses those bytes in workerd. A body is a
# `ReadableStream` whose `pull` enqueues a chunk each time it is called and, when it is called once more,
# calls `controller.error`. The chunk was taken by the reader, or `pull` would not have been called again,
# and still the client does not get it: it seems that workerd reads on as long as chunks are ready before
# it writes what it has, and drops that when the stream breaks. So a last line that says what broke never
# arrives, unless the stream breaks a turn of the event loop later (`?later`). Seen with workerd
# 1.20261117.1.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --prefix . workerd@1.20261117.1

cat > worker.js <<'JS'
export default {
  fetch(request) {
    const later = request.url.endsWith("?later");
    const lines = ["one\n", "two\n", "it broke here\n"];
    const body = new ReadableStream(
      {
        async pull(controller) {
          const line = lines.shift();
          if (line) return controller.enqueue(new TextEncoder().encode(line));
          if (later) await new Promise((resume) => setTimeout(resume));
          controller.error(new Error("broken"));
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body);
  },
};
JS
cat > config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
);
CAPNP

binary=$(echo node_modules/@cloudflare/workerd-*/bin/workerd)
"$binary" --version
mkfifo control
"$binary" serve config.capnp --socket-addr=http=127.0.0.1:0 --control-fd=1 > control 2> log &
server=$!
# The first line of the control messages says that it listens, and on which port.
read -r listening < control
port=$(sed 's/.*"port":\([0-9]*\).*/\1/' <<< "$listening")
# What came of a body that must have been cut: curl says so with 18.
came() {
  local code=0
  curl --silent --output body "http://127.0.0.1:$port/$1" || code=$?
  [ "$code" = 18 ] || { echo "curl ended with $code, not with 18"; exit 1; }
  tr '\n' '|' < body
}
at_once=$(came "")
later=$(came "?later")
echo "broken at once: $at_once"
echo "broken a turn later: $later"
[ "$at_once" = "one|two|" ] && [ "$later" = "one|two|it broke here|" ] || { echo "it behaves otherwise now"; exit 1; }
echo "as described: the chunk before an error is lost, and a turn later it is not"
