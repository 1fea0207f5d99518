#!/usr/bin/env bash
# schemathesis takes an API that slows down wrong credentials for one that ignores them.
#
# Its check `ignored_auth` sends each request again without and with wrong credentials, and takes only 401 and 403
# for a refusal. An API that answers too many wrong keys from one address with 429, as RFC 6585 has it and as its
# document says, fails the check ("Unexpected response to invalid authentication"), although nothing was let in.
# Either the limit is by address and each request of the check gets an address of its own, or the check is left out.
# Seen with schemathesis 4.32.5. Needs Python 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -z "${server:-}" ] || kill "$server"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet schemathesis==4.32.5
python/bin/schemathesis --version

cat > api.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": { "title": "Rows", "version": "1" },
  "security": [{ "key": [] }],
  "paths": { "/row": { "get": { "operationId": "row", "responses": {
    "200": { "description": "A row.", "content": { "text/plain": { "schema": { "type": "string" } } } },
    "401": { "description": "The key is not known.", "content": { "text/plain": { "schema": { "type": "string" } } } },
    "429": { "description": "Too many wrong keys.", "content": { "text/plain": { "schema": { "type": "string" } } } }
  } } } },
  "components": { "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } } }
}
JSON

# Answers right keys with 200, and wrong ones with 401, or after the first `LIMIT` of them with 429.
cat > server.py <<'PYTHON'
import http.server
import os

limit, wrong = int(os.environ["LIMIT"]), 0

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global wrong
        status = 200
        if self.headers.get("authorization") != "Bearer right":
            wrong += 1
            status = 401 if wrong <= limit else 429
        body = b"answer"
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
PYTHON

look() { # look LIMIT: checks an API that answers so many wrong keys with 401
  rm -f port
  LIMIT=$1 python3 server.py &
  server=$!
  until [ -e port ]; do sleep 0.1; done
  python/bin/schemathesis run api.json --url "http://127.0.0.1:$(cat port)" -H "Authorization: Bearer right" \
    --checks ignored_auth --phases fuzzing --max-examples 5 --no-color > "$1.log" 2>&1 && echo "$1: passes" || echo "$1: fails"
  kill "$server"
  server=
}

look 1000000 | tee seen
look 0 | tee -a seen
grep -h "429" 0.log | head -2
[ "$(cat seen)" = $'1000000: passes\n0: fails' ]
grep -q "got \`429 Too Many Requests\`" 0.log
