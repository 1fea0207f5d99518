#!/usr/bin/env bash
# A frame whose page cannot be reached fires no event at all in WebKitGTK.
#
# In Chromium a frame whose server closes the connection without an answer loads the browser's own error page, and
# fires `load`. In WebKitGTK it fires neither `load` nor `error`, and stays as it is. So a script that shows a frame
# and takes `load` for the earliest moment to give up waits for ever: it needs a time limit besides. A frame whose
# server answers with 500 and an empty body fires `load` as usual.
# Seen with WebKitGTK 2.50.6. Needs Debian's webkit2gtk-driver and xvfb, and Python 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > look.py <<'PYTHON'
import http.server
import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

WAIT_MS = 5_000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            # No answer, and the connection ends with this.
            self.close_connection = True
            return
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def send(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["value"]


def frame(address):
    script = """const [address, wait, done] = arguments;
        const frame = document.createElement("iframe");
        for (const event of ["load", "error"]) frame.addEventListener(event, () => done(event));
        setTimeout(() => done("nothing"), wait);
        frame.src = address;
        document.body.append(frame);"""
    return send("POST", session + "/execute/async", {"script": script, "args": [address, WAIT_MS]})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
display = subprocess.Popen(["Xvfb", "-displayfd", "1", "-nolisten", "tcp"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
number = display.stdout.readline().decode().strip()
port = free_port()
# Root may not use WebKit's sandbox.
env = {**os.environ, "DISPLAY": f":{number}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1", "XDG_CONFIG_HOME": os.getcwd()}
driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    while True:
        try:
            send("GET", "/status")
            break
        except urllib.error.URLError:
            if driver.poll() is not None:
                raise
            time.sleep(0.1)
    made = send("POST", "/session", {"capabilities": {"alwaysMatch": {"browserName": "MiniBrowser"}}})
    session = f"/session/{made['sessionId']}"
    print("version", made["capabilities"]["browserVersion"])
    send("POST", session + "/url", {"url": f"http://127.0.0.1:{server.server_port}/"})
    for address in ("/broken", "/gone"):
        print(address, "fires", frame(address))
    send("DELETE", session)
finally:
    driver.terminate()
    display.terminate()
PYTHON
python3 look.py | tee seen
grep -qx "/broken fires load" seen
grep -qx "/gone fires nothing" seen
