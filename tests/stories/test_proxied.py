"""Behind a proxy, and in front of people who say that they are one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.caller import legacy
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream

PUBLIC, OFFICE = "198.51.100.7", "8.8.8.8"
SECURE = {"x-forwarded-proto": "https"}
SPOOFS = (
    {"x-forwarded-for": PUBLIC, **SECURE},
    {"forwarded": f"for={PUBLIC};proto=https"},
    {"x-real-ip": PUBLIC},
    {"x-forwarded-for": PUBLIC, "x-forwarded-host": "evil.example", "x-forwarded-user": "carol"},
    {"x-forwarded-uri": "/health", "x-forwarded-prefix": "/admin", "x-forwarded-for": PUBLIC},
)


def settings(upstream: Upstream, **more: Any) -> dict[str, Any]:
    anonymous = {"networks": [f"{OFFICE}/32", "127.0.0.0/8"], "roles": ["reader"]}
    return {
        "server": {"public_url": "https://gw.example", **more},
        "auth": {"anonymous": anonymous},
        "mcpServers": {
            "scripted": server(upstream.url, rateLimit={"requests": 1000, "window": 60})
        },
    }


@pytest.fixture(scope="module")
def proxied(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config = settings(upstream, trusted_proxies=["127.0.0.1"])
    with Town(config, tmp_path_factory.mktemp("proxied")) as running:
        yield running


@pytest.fixture(scope="module")
def bare(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(settings(upstream), tmp_path_factory.mktemp("bare")) as running:
        yield running


def note(town: Town, headers: dict[str, str], who: str | None = "ALICE") -> Any:
    with town.caller(who) as caller:
        body, usual = caller.call("get_note")
        return caller.ask(body, {**usual, **headers})


def page(town: Town, path: str, headers: dict[str, str]) -> Any:
    with town.caller(None) as caller:
        caller.target = path
        return caller.ask(b"", headers, "GET")


def test_the_record_names_whoever_is_behind_the_proxy(proxied: Town) -> None:
    before = proxied.count()

    assert note(proxied, {"x-forwarded-for": f"1.1.1.1, {PUBLIC}", **SECURE}).status == 200

    assert proxied.new(before)[0]["user"]["ip"] == PUBLIC


@pytest.mark.parametrize("spoof", SPOOFS, ids=lambda each: next(iter(each)))
def test_nobody_else_is_believed_in_anything(bare: Town, spoof: dict[str, str]) -> None:
    before = bare.count()

    assert note(bare, spoof).status == 200
    assert note(bare, spoof, None).status in (401, 200)

    record = bare.new(before)[0]
    assert record["user"]["ip"] == "127.0.0.1"
    assert record["user"]["email"] == "alice@example.com"
    answer = page(bare, "/login", spoof)
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("spoof", SPOOFS[:3], ids=lambda each: next(iter(each)))
def test_whoever_says_he_is_a_proxy_is_nobody_anonymous(bare: Town, spoof: dict[str, str]) -> None:
    assert note(bare, {}, None).status == 200
    assert note(bare, spoof, None).status == 401


def test_anonymous_networks_are_those_of_the_callers(proxied: Town) -> None:
    assert note(proxied, {"x-forwarded-for": OFFICE, **SECURE}, None).status == 200
    assert note(proxied, {"x-forwarded-for": PUBLIC, **SECURE}, None).status == 401
    assert note(proxied, {"x-forwarded-for": f"{OFFICE}, {PUBLIC}", **SECURE}, None).status == 401
    assert note(proxied, {}, None).status == 401  # the proxy, which says nothing of anybody


def test_without_tls_the_public_is_told_what_to_type(proxied: Town) -> None:
    clear = {"x-forwarded-for": OFFICE, "x-forwarded-proto": "http"}

    answer = note(proxied, clear, None)
    shown = page(proxied, "/login", {**clear, "host": "gw.example"})
    api = page(proxied, "/api/v1/me", {**clear, "host": "gw.example"})

    assert answer.status == 403
    told = answer.error["message"]
    assert "claude mcp add --transport http scripted https://gw.example/mcp/scripted" in told
    assert shown.status == 403
    assert "https://gw.example" in shown.body.decode()
    assert api.status == 403
    assert "https://gw.example" in json.loads(api.body)["detail"]
    assert page(proxied, "/health", clear).status == 200
    for path in ("/ready", "/status", "/metrics", "/.well-known/oauth-authorization-server"):
        assert page(proxied, path, clear).status == 403


def test_a_key_that_came_in_the_clear_is_recorded_and_let_in_nowhere(proxied: Town) -> None:
    clear = {"x-forwarded-for": OFFICE, "x-forwarded-proto": "http"}
    before = proxied.count()

    assert note(proxied, clear, "BOB").status == 403

    assert proxied.silent(before)
    found = [each for each in proxied.house() if each["operation"] == "credential.exposed"]
    assert json.loads(json.dumps(found[-1]["parameters"]))["person"] == "bob@example.com"
    assert "credential.exposed" in proxied.log.read_text()
    assert KEYS["BOB_KEY"].encode() not in proxied.written()


def test_a_proxy_that_does_not_say_how_people_came_takes_no_keys_from_them(proxied: Town) -> None:
    told = len(proxied.house())

    answer = note(proxied, {"x-forwarded-for": OFFICE}, "CAROL")

    assert answer.status == 403
    assert "X-Forwarded-Proto" in answer.error["message"]
    later = proxied.house()[told:]
    assert not [each for each in later if each["operation"] == "credential.exposed"]


def test_people_in_private_networks_are_served_and_everybody_is_told(
    upstream: Upstream, home: Any
) -> None:
    with Town(settings(upstream, trusted_proxies=["127.0.0.1"]), home) as town:
        assert "without encryption" not in (town.get("/status") or "")

        private = {"x-forwarded-for": "10.1.2.3", "x-forwarded-proto": "http"}
        assert [note(town, private).status for _ in range(3)] == [200] * 3

        assert town.log.read_text().count("plaintext.served") == 1
        assert "without encryption" in (town.get("/status") or "")


def test_the_old_transport_keeps_the_callers_address(proxied: Town) -> None:
    before = proxied.count()
    with proxied.caller(server="scripted/sse") as caller:
        told = {"x-forwarded-for": PUBLIC, "accept": "text/event-stream", **SECURE}
        caller.send(caller.request(b"", told, "GET"))
        status, _ = caller.head()
        assert status == 200
        chunk = next(caller.chunks())
        target = chunk.split(b"data: ")[1].split(b"\n")[0].strip().decode()
        with proxied.caller() as poster:
            poster.target = (
                target.partition("//")[2].partition("/")[2] if "//" in target else target
            )
            poster.target = "/" + poster.target.lstrip("/")
            hello = {"protocolVersion": "2024-11-05", "capabilities": {}}
            hello["clientInfo"] = {"name": "c", "version": "1"}  # type: ignore[assignment]
            assert poster.ask(legacy("initialize", hello), told).status == 202
        next(caller.chunks())

    assert proxied.new(before)[0]["user"]["ip"] == PUBLIC
