"""A server whose tools change while everybody watches, and a place that hears of it."""

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.stories.caller import LEGACY, Caller, legacy, modern, routing
from tests.stories.town import KEYS, Town
from tests.stories.upstream import Talk, Upstream

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


def tool(name: str, description: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": SCHEMA, **more}


@dataclass
class Drifting(Upstream):
    """`pages`: what it lists. `hello`: its instructions. `lists`: whether it can.

    `fresh`: for how many seconds its lists may be kept, for everybody.
    """

    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    hello: str = ""
    lists: bool = True
    fresh: int = 0

    def offers(self, *tools: dict[str, Any]) -> None:
        self.pages = [list(tools)]

    def _request(self, talk: Talk) -> None:
        method = talk.seen.message["method"]
        if method == "tools/list" and self.lists:
            self._list(talk)
        elif method == "tools/list":
            self._refuse(talk)
        elif method == "prompts/list":
            talk.answer(talk.message({"prompts": self.prompts, "resultType": "complete"}))
        elif method == "initialize" and self.hello:
            session = f"up-{len(self.sessions)}"
            self.sessions.add(session)
            result = {
                "protocolVersion": talk.seen.message["params"]["protocolVersion"],
                "capabilities": {"tools": {}, "prompts": {}},
                "serverInfo": {"name": "drifting", "version": "1"},
                "instructions": self.hello,
            }
            talk.answer(talk.message(result), head=f"{HEAD}mcp-session-id: {session}\r\n")
        else:
            super()._request(talk)

    def _list(self, talk: Talk) -> None:
        cursor = talk.seen.message.get("params", {}).get("cursor", "0")
        at = int(cursor)
        result: dict[str, Any] = {"tools": self.pages[at], "resultType": "complete"}
        result |= {"ttlMs": self.fresh * 1000, "cacheScope": "public"}
        if at + 1 < len(self.pages):
            result["nextCursor"] = str(at + 1)
        talk.answer(talk.message(result))

    def _refuse(self, talk: Talk) -> None:
        error = {"code": -32601, "message": "Method not found"}
        talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id, "error": error}))


HEAD = "content-type: application/json\r\n"


class Listener:
    """Takes what a webhook posts."""

    def __enter__(self) -> Self:
        self.heard: list[dict[str, Any]] = []
        heard = self.heard

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                heard.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def listed(caller: Caller, cursor: str | None = None) -> list[dict[str, Any]]:
    """The tools this caller sees."""
    params = {} if cursor is None else {"cursor": cursor}
    if caller.session is not None:
        answer = caller.ask(legacy("tools/list", params))
    else:
        answer = caller.ask(modern("tools/list", params), routing("tools/list"))
    found = answer.message["result"]["tools"]
    assert isinstance(found, list)
    return found


def names(caller: Caller) -> list[str]:
    return [each["name"] for each in listed(caller)]


def ask(town: Town, path: str, body: object = None, who: str = "ALICE") -> tuple[int, Any]:
    """The API's answer: status and JSON."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{town.port}/api/v1/servers/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "authorization": f"Bearer {KEYS[f'{who}_KEY']}",
            "content-type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def begun(town: Town, era: str, name: str = "scripted", who: str = "ALICE") -> Caller:
    caller = town.caller(who, server=name)
    if era == LEGACY:
        caller.begin()
    return caller
