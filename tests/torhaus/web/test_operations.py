import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.torhaus.admin.hall import ALICE, person
from tests.torhaus.cast import NOW
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop, StopKind
from torhaus.web.front import Front
from torhaus.web.operations import SHARED_DOWN, Operations, application
from torhaus.web.render import Pages
from torhaus.web.session import SignedIn
from torhaus.web.status import ServerState

FRONT = Front(pages=Pages(), look=lambda _scope: None, origin=lambda: None)
LOOPBACK = Rules(version="1", metrics_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")))


@dataclass
class Page:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def operations(
    *,
    states: list[ServerState] | None = None,
    audit: bool = True,
    trouble: str | None = None,
    state: str | None = None,
    rules: Rules = LOOPBACK,
    shared: bool | None = None,
    sinks: dict[str, str] | None = None,
    files: str | None = None,
    lost: int | None = None,
    refuses: bool = False,
) -> Operations:
    return Operations(
        rules=lambda: rules,
        states=lambda: states or [],
        audit_healthy=lambda: audit,
        config_trouble=lambda: trouble,
        state_trouble=lambda: state,
        refuses=lambda: refuses,
        metrics=lambda: (b"mcp_gateway_requests_total 1\n", "text/plain; version=1.0.0"),
        started="2026-01-01 08:00 UTC",
        files_trouble=lambda: files,
        shared_up=None if shared is None else lambda: shared,
        sinks=lambda: sinks or {},
        audit_lost=None if lost is None else lambda: lost,
    )


async def approval(request: Request) -> Response:
    return PlainTextResponse(request.path_params["id"])


def get(path: str, shown: Operations, ip: str | None = "127.0.0.1", **headers: str) -> Page:
    """What the application answers, through its ASGI door."""
    page = Page()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            page.status = message["status"]
            page.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            page.body += message["body"]

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        "client": None if ip is None else (ip, 5),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    app: Callable[..., Any] = application(shown, approval, FRONT)
    asyncio.run(app(scope, receive, send))
    return page


def test_health_is_the_product_texts_byte_for_byte() -> None:
    page = get("/health", operations(audit=False))

    assert page.status == 200
    assert page.body == b'{"status": "healthy"}'
    assert page.headers["content-type"] == "application/json"


def test_ready_tells_of_servers_without_the_reason_they_are_down() -> None:
    states = [ServerState("git", "ready"), ServerState("time", "down: no way to 10.0.0.1")]

    page = get("/ready", operations(states=states))

    assert page.status == 200
    assert json.loads(page.body) == {
        "status": "ready",
        "audit": "ok",
        "evidence": "ok",
        "state": "ok",
        "configuration": "ok",
        "servers": {"git": "ready", "time": "down"},
        "unwell": {"time": {"state": "down", "since": None, "next_try": None}},
    }


def test_ready_is_503_while_callers_are_kept_out_for_want_of_the_database() -> None:
    closed = get("/ready", operations(state="no way to db.internal", refuses=True))

    assert closed.status == 503
    assert json.loads(closed.body)["status"] == "not ready"
    assert "keys and tokens of it are refused" in json.loads(closed.body)["state"]


def test_ready_is_503_only_when_no_call_can_succeed() -> None:
    down = get("/ready", operations(states=[ServerState("git", "down: x")]))
    refused = get("/ready", operations(trouble="line 3: secret"))
    broken = get("/ready", operations(audit=False))
    lost = get("/ready", operations(state="no way to db.internal"))

    assert (down.status, refused.status, broken.status, lost.status) == (200, 200, 503, 200)
    assert b"secret" not in refused.body
    assert b"approvals and administration wait for it" in lost.body
    assert b"db.internal" not in lost.body
    assert json.loads(broken.body)["status"] == "not ready"


@pytest.mark.parametrize(
    ("ip", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("10.0.0.1", 403), (None, 403)],
)
def test_metrics_are_open_to_listed_networks_only(ip: str | None, status: int) -> None:
    page = get("/metrics", operations(), ip)

    assert page.status == status
    assert (b"requests_total" in page.body) == (status == 200)


@pytest.mark.parametrize("header", ["forwarded", "x_forwarded_for", "x_real_ip"])
def test_metrics_are_closed_behind_a_proxy(header: str) -> None:
    assert get("/metrics", operations(), **{header: "127.0.0.1"}).status == 403


def test_the_status_page_may_load_nothing() -> None:
    page = get("/status", operations(states=[ServerState("git", "ready")]))

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert b"git" in page.body


@pytest.mark.parametrize("path", ["/", "/mcp", "/mcp/git", "/health/", "/../health", "/Health"])
def test_there_are_no_other_pages(path: str) -> None:
    page = get(path, operations())

    assert page.status in (404, 307)
    assert b"healthy" not in page.body


def test_a_link_to_an_approval_leads_to_its_page() -> None:
    assert get("/approvals/adm_1", operations()).body == b"adm_1"
    assert get("/approvals/adm_1/x", operations()).status == 404


@pytest.mark.parametrize(
    ("shared", "said"),
    [(None, None), (True, "ok"), (False, SHARED_DOWN)],
)
def test_calls_go_on_without_redis_and_ready_says_so(shared: bool | None, said: str | None) -> None:
    found = get("/ready", operations(shared=shared))

    assert found.status == 200
    assert json.loads(found.body).get("redis") == said


@pytest.mark.parametrize("shared", [None, True, False])
def test_the_status_page_says_when_redis_is_lost(shared: bool | None) -> None:
    text = get("/status", operations(shared=shared)).body.decode()

    assert ("Redis" in text) == (shared is False)


def test_sinks_are_told_when_they_are_late_and_calls_go_on() -> None:
    shown = operations(sinks={"siem": "does not take records", "search": ""})

    ready, status = get("/ready", shown), get("/status", shown)

    assert ready.status == 200
    assert json.loads(ready.body)["sinks"] == {"siem": "does not take records", "search": "ok"}
    assert b"the sink siem does not take records" in status.body
    assert b"search" not in status.body


def test_without_sinks_nothing_is_said_of_them() -> None:
    assert "sinks" not in json.loads(get("/ready", operations()).body)


def test_audit_files_that_wait_are_told_and_stop_nothing() -> None:
    told = get("/ready", operations(files="the bucket audit does not answer"))

    assert told.status == 200
    assert "stay where they are" in json.loads(told.body)["audit_files"]
    assert b"the bucket" not in told.body
    assert "audit_files" not in json.loads(get("/ready", operations()).body)


@pytest.mark.parametrize(
    ("healthy", "lost", "status", "said"),
    [
        (True, None, 200, "ok"),
        (True, 7, 200, "ok"),
        (False, None, 503, "the audit log cannot be written: calls are refused"),
        (False, 0, 200, "the audit log cannot be written: calls go on without records"),
    ],
)
def test_whether_calls_go_on_without_records_decides_whether_the_gateway_is_ready(
    healthy: bool, lost: int | None, status: int, said: str
) -> None:
    answer = operations(audit=healthy, lost=lost).ready(Request({"type": "http"}))

    assert answer.status_code == status
    assert json.loads(bytes(answer.body))["audit"] == said


def test_a_server_that_is_down_leaves_the_gateway_ready_and_is_told_without_its_error() -> None:
    states = [
        ServerState("github", "down: no connection to 10.0.0.1", 1767260000.0, 1767260005.0),
        ServerState("jira", "ready", 1767260000.0),
    ]

    found = get("/ready", operations(states=states))

    assert found.status == 200
    told = json.loads(found.body)
    assert told["status"] == "ready"
    assert told["servers"] == {"github": "down", "jira": "ready"}
    assert told["unwell"] == {
        "github": {
            "state": "down",
            "since": "2026-01-01T09:33:20.000Z",
            "next_try": "2026-01-01T09:33:25.000Z",
        }
    }
    assert b"10.0.0.1" not in found.body


STOPS = (
    Stop(
        id="s1",
        kind=StopKind.SERVER,
        target="github",
        reason="<b>leak</b> 47",
        created=NOW,
        created_by=ALICE.email,
        expires=NOW + 1e9,
    ),
)


def stopping(who: Principal | StateError | None) -> Operations:
    async def signed(_scope: object) -> SignedIn | None:
        if isinstance(who, StateError):
            raise who
        if who is None:
            return None
        return SignedIn(
            email=who.email, family="f", csrf="of-the-form", digest=b"", principal=who, began=0.0
        )

    made = operations(states=[ServerState("github", "ready")])
    return replace(made, stops=lambda: STOPS, who=signed, clock=lambda: NOW)


def test_the_status_page_says_what_is_stopped_and_why_to_those_who_may_know() -> None:
    told = get("/status", stopping(person("root", "admin"))).body.decode()

    assert "Stopped by an administrator" in told
    assert "&lt;b&gt;leak&lt;/b&gt; 47" in told
    assert f"by {ALICE.email}" in told


def test_the_status_page_leads_whoever_has_signed_in_back_to_his_own_pages() -> None:
    told = get("/status", stopping(ALICE)).body.decode()

    assert f'<span title="{ALICE.email}">' in told
    assert '<a href="/me">' in told
    assert 'name="token" value="of-the-form"' in told
    assert "/logout" not in get("/status", stopping(None)).body.decode()


@pytest.mark.parametrize("who", [None, StateError("it is silent")])
def test_strangers_are_told_what_is_stopped_and_no_more(who: StateError | None) -> None:
    page = get("/status", stopping(who))

    assert page.status == 200
    assert b"Stopped by an administrator" in page.body
    assert b"leak" not in page.body
    assert ALICE.email.encode() not in page.body


def test_what_is_stopped_leaves_the_gateway_ready() -> None:
    assert get("/ready", stopping(None)).status == 200
    assert b"Stopped by" not in get("/status", operations()).body
