"""Every route there is: who may make a browser ask it, by which name, and over what.

Routes are taken from the applications themselves, so a new one is looked at from its first day.
"""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from starlette.routing import Route

from tests.torhaus.admin.hall import DANA, key
from tests.torhaus.cast import run
from tests.torhaus.store.state.people import credential, family
from tests.torhaus.test_annex import House, house
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.identity.keys import SESSION, digest, mint
from torhaus.model.credentials import CredentialKind
from torhaus.model.health import UNUSED
from torhaus.store.state.database import NAME
from torhaus.threshold import Entrance
from torhaus.web.operations import Operations

COOKIE = mint(b"c" * 32, SESSION)
HOST = "gw.example.org"
SETTINGS = Settings(public_url=f"https://{HOST}")
LOOPBACK = (ip_network("127.0.0.0/8"),)
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ABROAD = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
)
# Sent by other sites or programs on purpose. None of them looks at the session's cookie, so another
# site can do no more with somebody's browser than with its own.
OPEN = {
    "/callback/{provider}": "answers of identity providers; counts in the browser that left",
    "/connect/callback": "answers of the servers' own sign-ins; counts by its sealed state",
    "/backchannel-logout/{provider}": "a signed token of the identity provider",
    "/token": "codes and refresh tokens of programs",
    "/register": "programs that introduce themselves",
    "/revoke": "tokens that programs give back",
}
SCIM = {
    "Users": ("GET", "POST"),
    "Users/{id}": ("GET", "PUT", "PATCH", "DELETE"),
    "Users/.search": ("POST",),
    "Groups": ("GET", "POST"),
    "Groups/{id}": ("GET", "PUT", "PATCH", "DELETE"),
    ".search": ("POST",),
    "ServiceProviderConfig": ("GET",),
}
"""SCIM's application routes by itself: these stand for its resources."""
DOCUMENTS = ("/.well-known/", "/connect/client.json")
"""What everybody may read: what we are called, and where to sign in."""


class Asked(NamedTuple):
    method: str
    path: str
    template: str
    api: bool


class Seen(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[tuple[House, Entrance]]:
    """A house with Dana at the browser."""
    async with house(home, public_url=SETTINGS.public_url) as made:
        door = Admission(SETTINGS, live=made.annex.live)
        made.rules = msgspec.structs.replace(made.rules, metrics_networks=LOOPBACK)
        entered = made.annex.entrance(_operations(made), lambda: door, lambda _: UNUSED)
        now = made.annex.foyer._means.clock()
        session = credential(
            "s1",
            digest=digest(COOKIE),
            kind=CredentialKind.SESSION,
            email=DANA.email,
            family="f1",
            audience=None,
            scopes=(),
            created=now,
            expires=now + 3600,
        )
        async with made.annex.admin._means.office.write() as desk:
            lasting = msgspec.structs.replace(family("f1"), email=DANA.email, expires=now + 3600)
            await desk.families.add(lasting)
            await desk.credentials.add(session, "")
        yield made, entered


def _operations(made: House) -> Operations:
    return Operations(
        rules=lambda: made.rules,
        states=list,
        audit_healthy=lambda: True,
        config_trouble=lambda: None,
        state_trouble=lambda: None,
        metrics=lambda: (b"", "text/plain"),
        started="",
    )


_routes: list[Asked] = []


def routes(entered: Entrance) -> list[Asked]:
    """Each route with each method that it takes: of every house here the same."""
    if not _routes:
        _routes.extend(_found(entered))
    return _routes


def _found(entered: Entrance) -> Iterator[Asked]:
    app = entered.api.inside
    schema = app.openapi()["paths"]
    plain = [each for each in app.routes if isinstance(each, Route)]  # not in the schema
    found = [(each.path, each.methods, False) for each in entered.pages.routes]
    found += [(each.path, each.methods, True) for each in plain]
    found += [(path, [m.upper() for m in methods], True) for path, methods in schema.items()]
    found += [(f"/scim/v2/{place}", methods, True) for place, methods in SCIM.items()]
    for template, methods, api in found:
        path = re.sub(r"\{[^}]*\}", "x", template)
        for method in sorted(methods or ("GET",)):
            yield Asked(method, path, template, api)


def test_every_router_of_the_api_is_in_its_schema(tmp_path: Path) -> None:
    """Or it could not be found here."""

    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            kept = [route for each in entered.api.inside.routes for route in _within(each)]
            hidden = [each.path for each in kept if not each.include_in_schema]
            assert hidden == []
            assert len(kept) > 30

    run(story())


def _within(each: Any) -> list[Any]:
    """FastAPI keeps the routers that it includes whole."""
    return list(getattr(getattr(each, "original_router", None), "routes", ()))


async def ask(
    entered: Entrance,
    asked: Asked,
    headers: dict[str, str],
    ip: str = "127.0.0.1",
    tls: bool = True,
) -> Seen:
    sent: list[Any] = []
    told = {"host": HOST, **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "https" if tls else "http",
        "headers": [(k.encode(), v.encode()) for k, v in told.items()],
        "client": (ip, 4711),
        "server": ("127.0.0.1", 443),
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"token=x&a=b", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await entered(scope, receive, send)
    start = next(each for each in sent if each["type"] == "http.response.start")
    body = b"".join(each.get("body", b"") for each in sent)
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return Seen(start["status"], named, body.decode("utf-8", "replace"))


FORM = {"content-type": "application/x-www-form-urlencoded"}
AT_BROWSER = {"cookie": f"__Host-torhaus={COOKIE}", **FORM}


def test_there_are_routes_to_look_at(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            every = routes(entered)
            assert len([each for each in every if each.api]) > 30
            assert len([each for each in every if not each.api]) > 30
            assert OPEN.keys() <= {each.template for each in every}
            me = await ask(entered, Asked("GET", "/me", "/me", api=False), AT_BROWSER)
            assert me.status == 200  # or nothing below would prove anything

    run(story())


@pytest.mark.parametrize("abroad", ABROAD, ids=str)
def test_no_other_site_changes_anything_through_somebodys_browser(
    abroad: dict[str, str], tmp_path: Path
) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            before = contents(tmp_path)
            for each in routes(entered):
                if each.method in SAFE:
                    continue
                seen = await ask(entered, each, {**AT_BROWSER, **abroad})
                if each.template in OPEN:
                    assert each.template == "/revoke" or seen.status >= 400, each
                elif each.api:  # no cookie opens it: a key in a header does
                    assert seen.status in (401, 403), each
                else:
                    assert seen.status == 403, each
            assert contents(tmp_path) == before

    run(story())


def test_our_own_forms_get_as_far_as_their_token(tmp_path: Path) -> None:
    """Or the test above would pass for a reason of its own."""

    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            for each in routes(entered):
                if each.method in SAFE or each.api or each.template in OPEN:
                    continue
                seen = await ask(entered, each, {**AT_BROWSER, "sec-fetch-site": "same-origin"})
                assert "sent by another site" not in seen.text, each

    run(story())


def contents(home: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(f"file:{home / NAME}?mode=ro", uri=True)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def test_to_look_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            before = contents(tmp_path)
            for each in routes(entered):
                if each.method not in SAFE:
                    continue
                for headers in (AT_BROWSER, {"apikey": key(DANA)}):
                    await ask(entered, each, headers)
            assert contents(tmp_path) == before

    run(story())


def test_no_other_method_is_taken_anywhere(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            every = [each for each in routes(entered) if not each.api]
            taken = {(each.method, each.path) for each in every}
            tried = [each._replace(method=method) for each in every for method in UNSAFE]
            for each in tried:
                if (each.method, each.path) not in taken:
                    seen = await ask(entered, each, AT_BROWSER)
                    assert seen.status in (403, 404, 405), each

    run(story())


@pytest.mark.parametrize("host", ["evil.example", "gw.example.org.evil.example"])
def test_no_route_answers_to_a_foreign_name(host: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            for each in routes(entered):
                seen = await ask(entered, each, {**AT_BROWSER, "host": host})
                assert seen.status == 421, each

    run(story())


def test_probes_may_come_by_address_and_nobody_else_may(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            for each in routes(entered):
                seen = await ask(entered, each, {"host": "10.0.0.7:8080"})
                if each.template in ("/health", "/ready", "/metrics"):
                    assert seen.status == 200, each
                else:
                    assert seen.status == 421, each

    run(story())


def test_a_foreign_page_reads_no_page_and_no_answer_of_ours(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            for each in routes(entered):
                seen = await ask(entered, each, {**AT_BROWSER, "origin": "https://evil.example"})
                if each.template in OPEN or each.template.startswith(DOCUMENTS):
                    assert "access-control-allow-credentials" not in seen.headers, each
                else:
                    assert seen.status in (401, 403), each
                    assert "access-control-allow-origin" not in seen.headers, each

    run(story())


def test_every_route_but_health_is_closed_to_the_public_without_tls(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            for each in routes(entered):
                seen = await ask(entered, each, AT_BROWSER, ip="8.8.8.8", tls=False)
                assert seen.status == (200 if each.template == "/health" else 403), each
                if seen.status == 403:
                    assert "https://gw.example.org" in seen.text, each

    run(story())


def test_every_answer_says_what_browsers_must_not_do_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as (_, entered):
            for each in routes(entered):
                seen = await ask(entered, each, AT_BROWSER)
                assert seen.headers["strict-transport-security"] == "max-age=31536000", each
                assert seen.headers["x-content-type-options"] == "nosniff", each
                if "html" in seen.headers.get("content-type", ""):
                    policy = seen.headers["content-security-policy"]
                    assert "frame-ancestors 'none'" in policy, each
                    assert "script-src" not in policy or "unsafe" not in policy, each
                for cookie in [v for k, v in seen.headers.items() if k == "set-cookie"]:
                    assert cookie.startswith("__Host-"), each
                    assert "Secure" in cookie, each
                    assert "HttpOnly" in cookie, each

    run(story())
