"""An admin, an auditor and a client, signed in as people are: invited by mail, with a second factor; by a code and a PIN.

Their time is the log's, whose clock the run moves: whoever was signed in before that signs in once more.
"""

import base64
import datetime
import hmac
import json
import re
import struct
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# Invited from the command line before this runs (.ci/contract).
EMAILS = {role: f"{role}@contract.test" for role in ("admin", "auditor")}
PASSPHRASE = "cheval pile agrafe correcte"
PIN = "739164"
# Signing in counts as proving oneself once more, for five minutes.
FRESH = datetime.timedelta(minutes=4)


def send(base, path, body=None, bearer=None, method=None):
    head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, headers=head, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{path}: {error.code} {error.read().decode()}") from None


def wait_for(look, what):
    for _ in range(200):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise RuntimeError(f"{what} did not come")


class People:
    def __init__(self, up):
        self.up = up
        self.base = up["base_url"]
        self.device = None
        self.people = 0
        self.signed_in = {}
        self.steps = {}
        self.seeds = {role: self.accept(role) for role in EMAILS}
        self.client()

    def now(self):
        clock = send(self.base, "/v1/test-clock", bearer=self.up["keys"]["admin"])
        return datetime.datetime.fromisoformat(clock["now"])

    def token(self, role):
        """The bearer of somebody who has proven themselves; of somebody who may not come in now, the one that they had."""
        now = self.now()
        token, since = self.signed_in.get(role, (None, None))
        if since is None or now - since > FRESH:
            try:
                self.client() if role == "client" else self.staff(role)
            except RuntimeError as refused:
                print(f"{role} is not let in: {refused}")
        return self.signed_in[role][0]

    def forget(self, role):
        """Their session is ended by what is asked now."""
        self.signed_in[role] = (self.signed_in[role][0], None)

    def keep(self, role, opened, now):
        self.signed_in[role] = (opened["access_token"], now)

    # Whoever works here: a mail the first time, address and passphrase after that, and a code of the app each time.

    def accept(self, role):
        def mail():
            messages = send(self.up["fakes"]["email"], f"/__messages?to={EMAILS[role]}")
            return messages and re.search(r"\bki_[A-Za-z0-9_-]{43}", messages[0]["text"])

        token = wait_for(mail, "the invitation").group()
        seed = send(self.base, "/v1/invitations/enrolment", {"token": token})["seed"]
        now = self.now()
        self.steps[role] = int(now.timestamp()) // 30
        body = {"token": token, "passphrase": PASSPHRASE, "totp": totp(seed, self.steps[role])}
        self.keep(role, send(self.base, "/v1/invitations/acceptance", body), now)
        return seed

    def staff(self, role):
        now = self.now()
        # Each code counts once, and that of the next half minute counts already.
        step = max(int(now.timestamp()) // 30, self.steps[role] + 1)
        self.steps[role] = step
        body = {"email": EMAILS[role], "passphrase": PASSPHRASE, "totp": totp(self.seeds[role], step)}
        self.keep(role, send(self.base, "/v1/sessions/staff", body), now)

    # The client: a code by SMS the first time, the device after that; somebody else once that was released.

    def client(self):
        try:
            self.come_in()
        except RuntimeError:
            if self.device is None:
                raise
            self.device = None
            self.come_in()

    def come_in(self):
        now = self.now()
        if self.device is None:
            self.people += 1
            phone = f"+22177123{4500 + self.people}"
            self.key = Ed25519PrivateKey.generate()
            public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            asked = send(self.base, "/v1/challenges", {"phone": phone, "device_key": text(public)})
            sms = f"/__messages?to={phone.replace('+', '%2B')}"
            code = wait_for(
                lambda: next(
                    (found.group() for message in send(self.up["fakes"]["sms"], sms) if (found := re.search(r"\b\d{6}\b", message["text"]))),
                    None,
                ),
                "the code",
            )
            signature = self.sign(asked)
            send(self.base, f"/v1/challenges/{asked['id']}/proof", {"code": code, "signature": signature})
        else:
            asked = send(self.base, f"/v1/devices/{self.device}/challenges", method="POST")
        opened = send(self.base, "/v1/sessions", {"challenge_id": asked["id"], "signature": self.sign(asked), "pin": PIN})
        self.device = opened["device_id"]
        self.keep("client", opened, now)

    def sign(self, asked):
        return text(self.key.sign(asked["sign"].encode()))


def text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def totp(seed, step):
    """RFC 6238 with SHA-1, 30 seconds and six digits."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
