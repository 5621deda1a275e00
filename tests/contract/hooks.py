"""Who schemathesis is, what it knows of the place, and one check of ours.

Each operation is asked as somebody whom its `x-authz` names: with the demo keys of `kalel up`, and where only people may come,
as an admin or a client who is signed in. Formats that are not those
of JSON Schema are told here. A request of the right form that is answered 400 must be refused for something that the
document says is checked beyond the form (`x-checked`).
"""

import json
import os
import pathlib
import string
import sys
import urllib.request

import schemathesis
from hypothesis import strategies as st

with open(os.environ["KALEL_UP_JSON"]) as file:
    UP = json.load(file)
KEYS = UP["keys"]

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from people import People  # noqa: E402

PEOPLE = People(UP)

# Whoever may do most comes first, so that what one operation makes the next one may touch.
ROLES = ["service", "manager", "finance", "admin", "auditor", "client"]


# Wrong ones lock whoever tries: so not the admin, who is needed.
TRIES = {"POST /v1/sessions/current/step-up", "PUT /v1/accounts/me/passphrase"}
# After these whoever asked may be signed in no longer.
ENDS_IT = {"DELETE /v1/sessions", "DELETE /v1/sessions/{id}", "DELETE /v1/devices/{id}", "PUT /v1/clients/{id}/pin"}


@schemathesis.auth(refresh_interval=None)
class Keys:
    def get(self, case, context):
        authz = case.operation.definition.raw.get("x-authz", {})
        roles = authz.get("roles", {})
        if authz.get("session"):
            # A client's device and PIN are theirs; all else that people do, an admin may.
            who = next(role for role in ("admin", "client", *roles) if role in roles)
            if case.operation.label in TRIES:
                who = "auditor"
            if case.operation.label in ENDS_IT and "client" in roles:
                who = "client"
            token = PEOPLE.token(who)
            if case.operation.label in ENDS_IT:
                PEOPLE.forget(who)
            return token
        # To read, whoever sees all; to write, whoever may do most.
        reads = case.operation.method.upper() == "GET"
        able = [role for role in ROLES if role in roles]
        return next((KEYS[role] for role in able if reads and roles[role] == "all"), KEYS[able[0]] if able else None)

    def set(self, case, key, context):
        if key is not None:
            case.headers["Authorization"] = f"Bearer {key}"


def ask(path, role):
    request = urllib.request.Request(UP["base_url"] + path, headers={"Authorization": f"Bearer {KEYS[role]}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# The keys that it asks with: never revoked nor rotated by it, else it would saw off the branch it sits on.
OURS = {key["id"] for key in ask("/v1/keys?limit=100", "admin")["data"]}

two = lambda low, high: st.integers(low, high).map("{:02}".format)
DATES = st.builds("{}-{}-{}".format, st.integers(2026, 2027), two(1, 12), two(1, 28))
TIMES = st.builds("{}T{}:{}:00{}".format, DATES, two(0, 23), st.sampled_from(["00", "30"]), st.sampled_from(["Z", "+01:00"]))
schemathesis.openapi.format("date", DATES)
schemathesis.openapi.format("date-time", TIMES)
schemathesis.openapi.format("time-zone", st.sampled_from(["Africa/Dakar", "Europe/Paris"]))
schemathesis.openapi.format("phone", st.text(string.digits, min_size=7, max_size=7).map(lambda rest: "77" + rest))


@schemathesis.hook
def before_call(context, case, **kwargs):
    label = case.operation.label
    if label in ("DELETE /v1/keys/{id}", "POST /v1/keys/{id}/rotation") and case.path_parameters.get("id") in OURS:
        case.path_parameters["id"] = "019ab2c4-5f00-7000-8000-0000000000ff"
    if label == "GET /v1/events/stream":
        from_the_beginning(case)
    if not isinstance(case.body, (bytes, str)):
        case.body = written(case.body)


def written(value):
    """Integers without a fraction: 1.0 is one to JSON Schema, and none to us (info.description says so)."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [written(inner) for inner in value]
    if isinstance(value, dict):
        return {name: written(inner) for name, inner in value.items()}
    return value


def from_the_beginning(case):
    """A stream on which nothing happens never ends: what is well formed asks for what the log begins with."""
    query, head = dict(case.query or {}), case.headers or {}
    if "after" not in query or str(query["after"]).isdigit():
        query["after"] = 0
    kinds = query.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(kinds, list) and all(isinstance(kind, str) and "." in kind for kind in kinds):
        query["type"] = ["site.*"]
    if str(head.get("Last-Event-ID", "")).isdigit():
        head["Last-Event-ID"] = "0"
    case.query = query


# Well formed, but not of this log.
OF_ANOTHER_LOG = {"position.beyond_head", "position.before_start", "audit.no_such_position"}


@schemathesis.check
def refused_for_what_is_said_to_be_checked(context, response, case):
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    problem = response.json()
    assert problem["code"] in OF_ANOTHER_LOG or problem.get("errors"), f"400 {problem['code']} for what is well formed"
    for error in problem.get("errors", []):
        assert is_checked(case.operation, error), f"{error}: the document does not say that this is checked"


# A seal and a view are behind for a moment, and then they are not.
COMES_BY_ITSELF = {"audit.not_sealed_yet", "projection_behind"}


@schemathesis.check
def comes_back_later_only_for_what_comes_by_itself(context, response, case):
    if response.status_code == 503:
        code = response.json()["code"]
        assert code in COMES_BY_ITSELF, f"503 {code}, though nobody else asks for anything"


def is_checked(operation, error):
    root = operation.schema.raw_schema
    raw = operation.definition.raw

    def found(value):
        while isinstance(value, dict) and "$ref" in value:
            target = root
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target | {key: beside for key, beside in value.items() if key != "$ref"}
        return value

    if "parameter" in error:
        parameters = [found(parameter) for parameter in raw.get("parameters", [])]
        return any(p["name"] == error["parameter"] and "x-checked" in p for p in parameters)
    schemas = [found(media["schema"]) for media in raw["requestBody"]["content"].values()]
    for part in [None, *error["pointer"].split("/")[1:]]:
        if part is not None:
            schemas = [found(inner) for schema in schemas for inner in step(schema, part)]
        if any("x-checked" in schema for schema in schemas):
            return True
        schemas += [found(inner) for schema in schemas for key in ("oneOf", "anyOf", "allOf") for inner in schema.get(key, [])]
        if any("x-checked" in schema for schema in schemas):
            return True
    return False


def step(schema, part):
    if part in schema.get("properties", {}):
        yield schema["properties"][part]
    if part.isdigit() and isinstance(schema.get("items"), dict):
        yield schema["items"]
