"""Links that people must open before a call works: an error up to 2025-11-25, a question after it.

A server with sessions refuses such a call with -32042 and wants it again later. The newer era has
no such error: there the client is asked to have a link opened, and its retry is the call again.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.mcp import inputs
from torhaus.mcp.codes import INTERNAL_ERROR, LINKS_REQUIRED, MISSING_CAPABILITY
from torhaus.mcp.inputs import Input
from torhaus.mcp.message import encode, error_object
from torhaus.mcp.methods import MAY_ASK
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask
from torhaus.upstream.replies import object_of

KEY = "torhaus-link-"
"""How the questions are called. Nothing is kept of them: the retry says by it what it answers."""
MOST = 16
NEEDED: dict[str, Any] = {"requiredCapabilities": {"elicitation": {"url": {}}}}


def asked(method: str, error: bytes, declared: Mapping[str, Any]) -> Answer | None:
    """What a stateless client gets instead of -32042; None: it is another error."""
    loose = object_of(error)
    if loose is None or loose.get("code") != LINKS_REQUIRED:
        return None
    said = loose.get("message")
    text = said if isinstance(said, str) else "a link has to be opened first"
    questions = _questions(loose.get("data"))
    if not questions or method not in MAY_ASK:
        return Answer(error=error_object(INTERNAL_ERROR, text))
    if any(inputs.lacking(each, declared) is not None for each in questions.values()):
        lacking = error_object(MISSING_CAPABILITY, text, encode(NEEDED))
        return Answer(error=lacking, status=400)
    return Answer(result=inputs.required(questions, None))


def _questions(data: object) -> dict[str, Input]:
    listed = data.get("elicitations") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        return {}
    found = [each for each in listed[:MOST] if isinstance(each, dict) and "url" in each]
    return {
        f"{KEY}{number}": Input("elicitation/create", {**_known(each), "mode": inputs.URL})
        for number, each in enumerate(found, 1)
    }


def _known(question: Mapping[str, Any]) -> dict[str, Any]:
    """`elicitationId` is gone in 2026-07-28."""
    return {name: question[name] for name in ("message", "url") if name in question}


def declined(ask: Ask) -> Answer | None:
    """The end of a call whose link nobody wants to open; None: it may be tried again."""
    if KEY.encode() not in ask.params:
        return None
    responses = (object_of(ask.params) or {}).get("inputResponses")
    if not isinstance(responses, dict):
        return None
    ours = (each for key, each in responses.items() if key.startswith(KEY))
    if all(isinstance(each, dict) and each.get("action") == "accept" for each in ours):
        return None
    text = "the link that the server needs opened was declined"
    if ask.method != "tools/call":
        return Answer(error=error_object(INTERNAL_ERROR, text))
    content = [{"type": "text", "text": text}]
    said = {"content": content, "isError": True, "resultType": "complete"}
    return Answer(result=msgspec.json.encode(said))
