"""Both directions with the real program: what Kalel sends is believed by the reference implementations of Standard Webhooks,
and what they sign is believed by `kalel webhook verify`.

    check.py KALEL UP_JSON NODE_MODULES
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

kalel, up, modules = sys.argv[1:4]
here = Path(__file__).parent


def call(method, url, key=None, body=None):
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def verify(vector, body):
    command = [kalel, "webhook", "verify", "--id", vector["id"], "--timestamp", str(vector["timestamp"])]
    command += ["--signature", vector["signature"]]
    environment = {name: value for name, value in os.environ.items() if name != "WEBHOOK_SECRET"}
    if vector["secret"].startswith("whpk_"):
        command += ["--key", vector["secret"]]
    else:
        environment["WEBHOOK_SECRET"] = vector["secret"]
    done = subprocess.run(command, input=body.encode(), env=environment, capture_output=True, timeout=10)
    return done.returncode == 0


def theirs():
    """What they sign, we believe, and what was changed afterwards we do not."""
    cases = json.load(open(here / "cases.json", encoding="utf-8"))
    now = int(time.time())
    fresh = [{**case, "timestamp": now} for case in cases]
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(fresh, file)
        file.flush()
        asked = {
            "modules": modules,
            "cases": file.name,
            "secret": "whsec_QQRUpN+qJ9FK11AumkE1VEnkc4utho1tEak+T/32Row=",
            "seed": "5a" * 32,
        }
        signers = [["node", here / "sign.mjs"], [sys.executable, here / "sign.py"]]
        for signer in signers:
            told = subprocess.run([*signer, json.dumps(asked)], capture_output=True, check=True, timeout=20).stdout
            vectors = json.loads(told)
            for vector in vectors:
                assert verify(vector, vector["body"]), f"not believed: {vector}"
                assert not verify(vector, vector["body"] + " "), f"believed after a change: {vector}"
            for by in sorted({vector["by"] for vector in vectors}):
                print(f"{by}: {sum(vector['by'] == by for vector in vectors)} messages believed, none after a change")


def ours():
    """What we send, they believe."""
    announced = json.load(open(up, encoding="utf-8"))
    base, key = announced["base_url"], announced["keys"]["admin"]
    published = call("GET", f"{base}/v1/webhook-keys")["keys"][0]
    receivers = [["node", here / "receive.mjs", modules], [sys.executable, here / "receive.py"]]
    for command in receivers:
        receiver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = f"http://127.0.0.1:{json.loads(receiver.stdout.readline())['port']}"
            endpoint = call("POST", f"{base}/v1/endpoints", key, {"url": f"{url}/hook"})
            setup = json.dumps({"secret": endpoint["secret"], "jwk": published}).encode()
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(urllib.request.Request(f"{url}/setup", setup, method="POST"), timeout=10)
            path = f"{base}/v1/endpoints/{endpoint['id']}"
            call("POST", f"{base}/v1/keys", key, {"label": "Vérification", "role": "auditor"})
            call("POST", f"{path}/secret-rotation", key, {"overlap_hours": 1})
            call("POST", f"{path}/ping", key)
            seen = set()
            while not {"key.granted", "ping"} <= seen:
                told = json.loads(receiver.stdout.readline())
                assert told["v1"] and not told["tampered"] and told.get("v1a", True), told
                seen.add(told["type"])
            print(f"{told['by']} standardwebhooks: believed {', '.join(sorted(seen))} of a running Kalel, none after a change")
            call("DELETE", path, key)
        finally:
            receiver.kill()
            receiver.wait()


theirs()
ours()
