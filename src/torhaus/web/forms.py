"""Reads what a form of ours posts, and nothing that is larger or something else."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

MAX_BODY = 16 * 1024
MAX_FIELDS = 32
FORM_TYPE = "application/x-www-form-urlencoded"


async def fields(request: Request, most: int = MAX_BODY) -> Mapping[str, str]:
    """The form's fields, each name once; none where it is too large or not such a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        return {}
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return {}
    except ClientDisconnect:
        return {}
    return _parsed(body)


def _parsed(body: bytes) -> Mapping[str, str]:
    """Nothing at all where a name stands twice: which one was meant is not ours to guess."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        return {}
    found = dict(pairs)
    return found if len(found) == len(pairs) else {}
