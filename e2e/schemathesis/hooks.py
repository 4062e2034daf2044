"""What schemathesis does not know of this desk."""

import itertools
import json
import uuid

import requests
import schemathesis

# What a positive request waits for Min-Position, in milliseconds: whether it waits is tested, and not for how long.
WAIT_MS = "5"

# Texts that may be longer than this are made without their pattern: longer ones take seconds each.
PATTERN_CHARACTERS_MAX = 1000

turns = itertools.count()
tickets = []


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    """A bulk request is generated as one text, and goes out as it is."""
    text = value if isinstance(value, str) else json.dumps(value)
    return {"data": text.encode("utf-8", errors="ignore")}


def is_id(value):
    """Whether this could be a ticket's id."""
    try:
        return str(uuid.UUID(value)) == value.lower()
    except (AttributeError, TypeError, ValueError):
        return False


def a_ticket(case):
    """The id of a ticket that the desk has: of all of them in turn, so that they are in many states."""
    if not tickets:
        url = f"{case.operation.base_url.rstrip('/')}/v1/tickets?fields=id&limit=200"
        answer = requests.get(url, headers={"Authorization": case.headers["Authorization"]}, timeout=60)
        tickets.extend(sorted(item["id"] for item in answer.json()["items"]))
    return tickets[next(turns) % len(tickets)]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The same document, from which texts are made faster. That no text is blank is tested with the short ones."""
    rest = [raw_schema]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            length = value.get("maxLength")
            if isinstance(length, int) and length > PATTERN_CHARACTERS_MAX:
                value.pop("pattern", None)
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes requests meet what is there: made-up ids name no ticket, and made-up cursors no place in a list."""
    if is_id((case.path_parameters or {}).get("id")) and "Authorization" in (case.headers or {}):
        case.path_parameters["id"] = a_ticket(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "cursor" in (case.query or {}) and next(turns) % 2:
        del case.query["cursor"]
    if "Min-Position" in (case.headers or {}):
        case.headers["Max-Wait-Ms"] = WAIT_MS


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """What is no fault of the desk."""
    kind = type(failure).__name__
    headers = {name.lower() for name in case.headers or {}}
    if kind == "AcceptedNegativeData":
        # Proxies and browsers add headers; nobody is refused for one that is not in the document.
        added = "x-schemathesis-unknown-property" in headers
        # In a query, one value of a list is written like a value alone.
        alone = "in query" in failure.message and "Incorrect type" in failure.message
        return not added and not alone
    if kind == "RejectedPositiveData" and response.status_code in (400, 503):
        # Cursors and positions are what the desk gave before. Made-up ones are refused, or waited for in vain.
        return "cursor" not in (case.query or {}) and "min-position" not in headers
    if kind == "ServerError" and response.status_code == 503:
        # Records that nobody wrote are waited for until time is up.
        return response.json()["code"] != "read-model-behind"
    return True


@schemathesis.check
def every_member_is_described(ctx, response, case):
    """Answers are open to members of later versions, but this version's are all in the document."""
    document = case.operation.schema.raw_schema
    answers = document["paths"][case.operation.path][case.operation.method.lower()]["responses"]
    answer = answers.get(str(response.status_code))
    media_type, *_ = response.headers.get("content-type", [""])[0].split(";")
    if answer is None or media_type != "application/json":
        return
    content = resolved(document, answer).get("content", {})
    compare(document, content.get(media_type, {}).get("schema", {}), response.json(), "")


def resolved(document, value):
    """What a reference leads to."""
    while "$ref" in value:
        found = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def members(document, schema):
    """The members that a schema names, each with all of its shapes; and the shapes of items."""
    schema = resolved(document, schema)
    named, items = {}, [schema["items"]] if "items" in schema else []
    for name, shape in schema.get("properties", {}).items():
        named.setdefault(name, []).append(shape)
    for part in [part for kind in ("allOf", "anyOf", "oneOf") for part in schema.get(kind, [])]:
        more, more_items = members(document, part)
        for name, shapes in more.items():
            named.setdefault(name, []).extend(shapes)
        items.extend(more_items)
    return named, items


def compare(document, schema, value, place):
    """Fails for a member that no schema names, where the schema names any."""
    named, items = members(document, schema)
    if isinstance(value, list) and items:
        for item in value:
            compare(document, {"anyOf": items}, item, f"{place}/*")
    if isinstance(value, dict) and named:
        for name, member in value.items():
            assert name in named, f"{place}/{name} is answered and not in the document"
            compare(document, {"anyOf": named[name]}, member, f"{place}/{name}")
