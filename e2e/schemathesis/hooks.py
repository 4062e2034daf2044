"""What schemathesis does not know of this desk."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    """A bulk request is generated as one text, and goes out as it is."""
    text = value if isinstance(value, str) else json.dumps(value)
    return {"data": text.encode("utf-8", errors="ignore")}


@schemathesis.hook
def filter_headers(context, headers):
    """Proxies and browsers add headers; nobody is refused for one that is not in the document."""
    return not headers or "x-schemathesis-unknown-property" not in headers
