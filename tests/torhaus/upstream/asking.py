"""A stateless server that asks, and a client of a session that answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.torhaus.upstream.pipes import Memo
from tests.torhaus.upstream.servers.http_server import Heard, Wire, result, whole
from torhaus.mcp.message import error_text, result_text
from torhaus.model.ports import Notice

ELICIT = {"method": "elicitation/create", "params": {"message": "?", "requestedSchema": {}}}
ROOTS = {"method": "roots/list"}
YES = b'{"action":"accept","content":{"a":1}}'
REFUSED = b'{"code":-1,"message":"the user said no"}'


def wants(*questions: dict[str, Any], state: str | None = "s") -> dict[str, Any]:
    asked = {f"k{at}": each for at, each in enumerate(questions)}
    found: dict[str, Any] = {"resultType": "input_required"}
    if asked:
        found["inputRequests"] = asked
    return found if state is None else {**found, "requestState": state}


@dataclass
class Asker:
    """A tool that answers each round with the next of `rounds`, then with what it was told."""

    rounds: list[dict[str, Any]]
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def tool(self, wire: Wire, heard: Heard) -> None:
        params = heard.message["params"]
        self.heard.append({"id": heard.message["id"], **params})
        at = len(self.heard) - 1
        found = self.rounds[at] if at < len(self.rounds) else told(params)
        wire.say(whole(result(heard.message["id"], found)))


def told(params: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(params.get("inputResponses"))
    return {"resultType": "complete", "content": [{"type": "text", "text": text}]}


@dataclass(eq=False)
class Answering(Memo):
    """A sink whose client answers every question at once, with `say(question)`."""

    post: Callable[[bytes], object] | None = None
    say: Callable[[dict[str, Any]], bytes | None] = lambda _: YES

    def notice(self, notice: Notice) -> None:
        super().notice(notice)
        if notice.id is None or self.post is None:
            return
        payload = self.say(json.loads(notice.body))
        if payload is not None:
            write = error_text if payload is REFUSED else result_text
            self.post(write(notice.id, payload))
