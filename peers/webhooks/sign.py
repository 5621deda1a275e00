"""Signs the cases with the reference implementation for Python."""

import json
import sys
from datetime import datetime, timezone
from importlib.metadata import version

from standardwebhooks.webhooks import Webhook

asked = json.loads(sys.argv[1])
webhook = Webhook(asked["secret"])
by = f"PyPI standardwebhooks {version('standardwebhooks')}"
vectors = [
    {
        "by": by,
        "secret": asked["secret"],
        **case,
        "signature": webhook.sign(case["id"], datetime.fromtimestamp(case["timestamp"], timezone.utc), case["body"]),
    }
    for case in json.load(open(asked["cases"], encoding="utf-8"))
]
print(json.dumps(vectors, ensure_ascii=False))
