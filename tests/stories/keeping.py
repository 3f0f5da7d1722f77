"""A gateway that keeps answers of an upstream whose answers are all different."""

import json
from itertools import count
from typing import Any

from tests.stories.caller import Answer
from tests.stories.town import PEOPLE, Town, server
from tests.stories.upstream import Talk, Trick, Upstream
from tests.torhaus.redact.samples import MAIL

OTHER_TOKEN = "another-upstream-token-71c0a9d2"  # a credential of nobody


def numbered(**more: Any) -> Trick:
    """An answer that no other call gets, with these members."""

    def trick(talk: Talk) -> None:
        talk.answer(talk.message({**_content(talk), **more}))

    return trick


def _content(talk: Talk) -> dict[str, Any]:
    tool = talk.seen.tool or ""
    number = len(talk.server.calls(tool))
    token = talk.seen.headers.get("authorization", "").removeprefix("Bearer ")
    text = f"answer {number} with {token[:7]} for {MAIL}"
    return {"content": [{"type": "text", "text": text}], "resultType": "complete"}


def failing(talk: Talk) -> None:
    error = {"code": -32000, "message": f"failure {len(talk.server.calls('get_error'))}"}
    talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id, "error": error}))


def asking(talk: Talk) -> None:
    """The server wants to know something of its caller before it answers."""
    wanted = {"method": "elicitation/create", "params": {"message": "which team?"}}
    state = f"state {len(talk.server.calls('get_asked'))}"
    asked = {"inputRequests": {"team": wanted}, "requestState": state}
    talk.answer(talk.message({"resultType": "input_required", **asked}))


TASK = {"taskId": "7", "status": "working", "createdAt": "2026-11-23T00:00:00Z", "ttl": 60000}

TRICKS: dict[str, Trick] = {
    "get_note": numbered(),
    "get_own": numbered(),
    "get_by_role": numbered(),
    "get_long": numbered(padding="x" * 2000),
    "get_private": numbered(cacheScope="private"),
    "get_gone": numbered(ttlMs=0),
    "get_tool_error": numbered(isError=True),
    "get_error": failing,
    "get_asked": asking,
    "get_task": numbered(task=TASK),
}


def configuration(far: Upstream) -> dict[str, Any]:
    roles = {
        **PEOPLE["roles"],
        "contractor": {"permissions": ["*:read"], "restrictions": ["no_sensitive_data"]},
    }
    users = [
        {**user, "role": "contractor" if user["email"].startswith("carol") else user["role"]}
        for user in PEOPLE["users"]
    ]
    cached = {"cache": {"ttl": 300}}
    return {
        "roles": roles,
        "users": users,
        "mcpServers": {
            "one": server(far.url, **cached),
            "twin": server(far.url, **cached),
            "token": {**server(far.url, **cached), "auth": bearer(OTHER_TOKEN)},
            "staging": server(far.url, environment="staging", **cached),
            "production": server(far.url, environment="production", **cached),
        },
        "caching": {
            "one": {
                "get_own": {"ttl": 300, "type": "user-specific"},
                "get_by_role": {"ttl": 300, "vary_on": "roles"},
                "get_long": {"ttl": 300, "max_entry": 1000},
            }
        },
    }


def bearer(token: str) -> dict[str, str]:
    return {"type": "bearer", "token": token}


_PAGES = count()


def unasked() -> dict[str, int]:
    """Arguments that no other question has."""
    return {"page": next(_PAGES)}


def asked(town: Town, who: str, at: str, tool: str, arguments: object) -> Answer:
    with town.caller(who, server=at) as caller:
        return caller.tool(tool, arguments)


def hit(answer: Answer) -> bool:
    """Whether it says that it was kept."""
    mark = answer.message["result"].get("_meta", {}).get("torhaus/cache", {})
    return bool(mark.get("hit", False))
