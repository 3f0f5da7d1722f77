"""The pages that machines and people ask for the gateway's health."""

import html
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from torhaus import __version__
from torhaus.identity.identify import in_networks
from torhaus.model.rules import Rules


class ServerState(msgspec.Struct, frozen=True):
    """`state`: one word, or `down: <sentence>`."""

    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What these pages show, as functions of now."""

    rules: Callable[[], Rules]
    states: Callable[[], list[ServerState]]
    audit_healthy: Callable[[], bool]
    config_trouble: Callable[[], str | None]
    metrics: Callable[[], tuple[bytes, str]]
    started: str

    def health(self, _request: Request) -> Response:
        # Byte for byte what the product text prints; JSONResponse would drop the blank.
        return Response('{"status": "healthy"}', media_type="application/json")

    def ready(self, _request: Request) -> Response:
        """503 only for what makes every call fail; a server that is down is told, not fatal."""
        audit = self.audit_healthy()
        body = {
            "status": "ready" if audit else "not ready",
            "audit": "ok" if audit else "the audit log cannot be written: calls are refused",
            "configuration": "ok" if self.config_trouble() is None else "refused: see the log",
            "servers": {each.name: each.state.partition(":")[0] for each in self.states()},
        }
        return JSONResponse(body, status_code=200 if audit else 503)

    def exposition(self, request: Request) -> Response:
        peer = request.client.host if request.client is not None else ""
        if not in_networks(self.rules().metrics_networks, peer):
            text = "metrics are open to server.metrics_networks only"
            return JSONResponse({"error": text}, status_code=403)
        body, kind = self.metrics()
        return Response(body, media_type=kind)

    def status(self, _request: Request) -> Response:
        return HTMLResponse(_page(self), headers=SAFE)


SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def application(operations: Operations) -> Starlette:
    """The ASGI application for everything that is not `/mcp`."""
    return Starlette(
        routes=[
            Route("/health", operations.health),
            Route("/ready", operations.ready),
            Route("/metrics", operations.exposition),
            Route("/status", operations.status),
        ]
    )


_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee4;--paper:#fbfbfa;--ok:#1a7f4b;--bad:#b42318;--rest:#8a6d1f}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4b0;--line:#2c333b;--paper:#14171a;--ok:#4cc38a;--bad:#ff7a6b;--rest:#d6b55e}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:44rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.4rem;margin:0 0 .25rem}p{color:var(--soft);margin:.25rem 0 2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.6rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;font-size:.85rem;color:var(--soft)}.ok{color:var(--ok)}.bad{color:var(--bad)}.rest{color:var(--rest)}
"""


def _page(operations: Operations) -> str:
    states = operations.states()
    rows = "".join(_row(each) for each in states) or (
        "<tr><td colspan=2>No servers are configured.</td></tr>"
    )
    audit = operations.audit_healthy()
    down = [each for each in states if each.state.startswith("down")]
    headline = "Everything is working."
    if down:
        headline = f"{len(down)} of {len(states)} servers cannot be reached."
    if not audit:
        headline = "The audit log cannot be written, so calls are refused."
    trouble = ""
    if operations.config_trouble() is not None:
        trouble = "<p class=bad>The last change of the configuration was refused.</p>"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>Torhaus status</title><style>{_STYLE}</style><main><h1>{html.escape(headline)}</h1>"
        f"<p>Torhaus {html.escape(__version__)}, running since {html.escape(operations.started)}.</p>"
        f"{trouble}<table><thead><tr><th>Server<th>State</thead><tbody>{rows}</tbody></table></main>"
    )


_WORDS = {
    "ready": ("ok", "working"),
    "idle": ("rest", "not used yet"),
    "starting": ("rest", "starting"),
}


def _row(server: ServerState) -> str:
    word = server.state.partition(":")[0]
    kind, text = _WORDS.get(word, ("bad", "cannot be reached"))
    return f"<tr><td>{html.escape(server.name)}<td class={kind}>{html.escape(text)}</tr>"
