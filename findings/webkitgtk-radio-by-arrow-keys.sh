#!/usr/bin/env bash
# A radio that arrow keys have reached is not `:focus-visible` in WebKitGTK.
#
# After Tab the first radio of a group matches `:focus-visible`. After ArrowRight the next one has the focus and is
# chosen, by the same keyboard, and does not match; in Chromium and Firefox it does. A ring that hangs on
# `:focus-visible` alone vanishes as soon as somebody moves on the scale. `:checked:focus` beside it brings it back,
# since arrow keys choose what they reach.
# Seen with WebKitGTK 2.50.6. Needs Debian's webkit2gtk-driver and xvfb, and Python 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > look.py <<'PYTHON'
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

PAGE = "data:text/html,<title>Radios</title>" + "".join(
    f"<input type=radio name=score value={value}>" for value in range(3)
)
TAB, RIGHT = "\ue004", "\ue014"


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def send(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["value"]


def press(key):
    keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
    send("POST", session + "/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})
    script = """const it = document.activeElement;
        return `${it.value}: chosen ${it.checked}, :focus ${it.matches(":focus")}, :focus-visible ${it.matches(":focus-visible")}`"""
    return send("POST", session + "/execute/sync", {"script": script, "args": []})


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
    send("POST", session + "/url", {"url": PAGE})
    print("Tab", press(TAB))
    print("ArrowRight", press(RIGHT))
    send("DELETE", session)
finally:
    driver.terminate()
    display.terminate()
PYTHON
python3 look.py | tee seen
grep -qx "Tab 0: chosen false, :focus true, :focus-visible true" seen
grep -qx "ArrowRight 1: chosen true, :focus true, :focus-visible false" seen
