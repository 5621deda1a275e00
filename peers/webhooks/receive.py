"""A receiver as an integrator writes one: the reference implementation for Python checks what arrives."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret = ""


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        global secret
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/setup":
            secret = json.loads(body)["secret"]
            self.send_response(204)
            self.end_headers()
            return
        told = {"by": "PyPI", "id": self.headers["webhook-id"], "v1": False, "tampered": True}
        try:
            told["type"] = Webhook(secret).verify(body, dict(self.headers))["type"]
            told["v1"] = True
        except WebhookVerificationError as error:
            told["error"] = str(error)
        try:
            Webhook(secret).verify(body + b" ", dict(self.headers))
        except WebhookVerificationError:
            told["tampered"] = False
        print(json.dumps(told), flush=True)
        self.send_response(204 if told["v1"] else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
