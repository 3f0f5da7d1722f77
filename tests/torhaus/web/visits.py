"""Visits to the pages as an ASGI application, without a port and without people."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from torhaus.model.rules import Rules
from torhaus.web.front import Front
from torhaus.web.operations import Operations, application
from torhaus.web.render import Pages

PAGES = Pages()
FRONT = Front(pages=PAGES, look=lambda _scope: None, origin=lambda: None)


@dataclass
class Seen:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()


async def approval(request: Request) -> Response:
    return PlainTextResponse(request.path_params["id"])


def operations() -> Operations:
    return Operations(
        rules=lambda: Rules(version="1"),
        states=list,
        audit_healthy=lambda: True,
        config_trouble=lambda: None,
        state_trouble=lambda: None,
        metrics=lambda: (b"", "text/plain"),
        started="",
    )


def visit(
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    app: Any = None,
) -> Seen:
    return asyncio.run(
        ask(app or application(operations(), approval, FRONT), method, target, body, headers)
    )


async def ask(
    app: Any, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Seen:
    seen = Seen()

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            seen.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            seen.cookies = [v.decode() for k, v in message["headers"] if k == b"set-cookie"]
        else:
            seen.body += message.get("body", b"")

    path, _, query = target.partition("?")
    sent = {"host": "gw.example.org", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in sent.items()],
        "client": ("127.0.0.1", 5),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    return seen
