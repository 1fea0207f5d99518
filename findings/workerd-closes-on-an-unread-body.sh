#!/usr/bin/env bash
# A Worker that answers before the request's body has arrived costs its client the connection, and many
# clients the answer: workerd writes the answer with `Connection: close` and closes at once, even if a
# single byte is still to come. It does not read on for a while as nginx (`lingering_close`) does, so the
# client's next write fails with a broken pipe, and a client that first sends all and then reads reports
# that instead of the answer. A body that has arrived and was not read costs nothing. So refuse a body after
# reading it, or expect clients not to see why. Seen with workerd 1.20261117.1.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --prefix . workerd@1.20261117.1

cat > worker.js <<'JS'
export default { fetch: () => new Response("refused", { status: 415 }) };
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

# Sends the head of a request that announces a body of 1,000 bytes, so many of them, and nothing more; says
# what the connection is good for once the answer is there.
after() {
  exec 3<> "/dev/tcp/127.0.0.1/$port"
  {
    printf 'POST / HTTP/1.1\r\nhost: edge\r\ncontent-length: 1000\r\n\r\n'
    head --bytes "$1" /dev/zero
  } > request
  # In one write, so that what is sent of the body arrives with the head.
  cat request >&3
  local line close=no
  while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do
    case $line in
      HTTP*) printf '%s bytes of 1,000: %s, ' "$1" "$(cut -d ' ' -f 2 <<< "$line")" ;;
      [Cc]onnection:*[Cc]lose*) close=yes ;;
    esac
  done
  read -r -N 7 line <&3
  # An open connection would have nothing to read until the time is over, which `read` says with more than 128.
  local code=0
  read -r -t 3 -N 1 line <&3 || code=$?
  [ "$code" -gt 128 ] && code="open" || code="closed by the server"
  printf 'announces close: %s, then %s\n' "$close" "$code"
  exec 3>&-
}

seen=$(after 0; after 999; after 1000)
printf '%s\n' "$seen"
[ "$seen" = "0 bytes of 1,000: 415, announces close: yes, then closed by the server
999 bytes of 1,000: 415, announces close: yes, then closed by the server
1000 bytes of 1,000: 415, announces close: no, then open" ]
