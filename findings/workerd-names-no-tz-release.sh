#!/usr/bin/env bash
# workerd does not say which time zone database it has. With `nodejs_compat` its `process.versions` has
# the members `tz`, `icu`, `cldr` and `unicode` as Node's has, but each is an empty text, where Node says
# for example "2025b". So a program that divides time by zones cannot tell by them whose rules it counts
# by; asking `Intl` for an offset that a release changed can. Seen with workerd 1.20261117.1, which so
# shows to know IANA release 2026e (Winnipeg) and not yet 2026f (Havana).
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --prefix . workerd@1.20261117.1

cat > worker.js <<'JS'
const hours = (zone) =>
  new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
    .format(new Date("2026-12-01T00:00:00Z")).split("GMT")[1];
export default {
  fetch() {
    const { tz, icu, cldr, unicode, node } = process.versions;
    return Response.json({
      versions: { tz, icu, cldr, unicode }, namesNode: node !== "",
      winnipeg: hours("America/Winnipeg"), havana: hours("America/Havana"),
    });
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
  compatibilityFlags = ["nodejs_compat"],
);
CAPNP

binary=$(echo node_modules/@cloudflare/workerd-*/bin/workerd)
"$binary" --version
mkfifo control
"$binary" serve config.capnp --socket-addr=http=127.0.0.1:0 --control-fd=1 > control &
server=$!
# The first line of the control messages says that it listens, and on which port.
read -r listening < control
port=$(sed 's/.*"port":\([0-9]*\).*/\1/' <<< "$listening")
said=$(curl -sS "http://127.0.0.1:$port/")
echo "$said"
expected='{"versions":{"tz":"","icu":"","cldr":"","unicode":""},"namesNode":true,"winnipeg":"-05:00","havana":"-05:00"}'
[ "$said" = "$expected" ] || { echo "it behaves otherwise now"; exit 1; }
echo "as described: no release is named"
