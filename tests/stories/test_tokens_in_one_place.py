"""Access tokens are taken from `Authorization: Bearer` and from nowhere else, at every address."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.stories.caller import Answer, Caller
from tests.stories.directory import SOURCE, TOKEN
from tests.stories.ending import ERIN, Desk, refused, token
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream, within

WHERE = ("apikey", "x-api-key")
PLACES = ("/mcp/scripted", "/mcp", "/mcp/scripted/sse")
NAMES = ("access_token", "token", "apikey", "authorization", "Bearer", "x")


@pytest.fixture(scope="module")
def town(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config: dict[str, Any] = {
        "mcpServers": {"scripted": server(upstream.url)},
        "auth": {"scim": [{**SOURCE, "groups": {}}]},
    }
    with Town(config, tmp_path_factory.mktemp("one place") / "town") as running:
        yield running


@pytest.fixture(scope="module")
def sent(town: Town) -> str:
    """An access token that is good at every server."""
    Desk(town).hire()
    made, _ = token(town, ERIN, audience="")
    with Caller(town.port, made) as erin:
        assert within(60, lambda: not refused(erin))
    return made


def asked(town: Town, target: str, headers: dict[str, str | None], method: str) -> Answer:
    with Caller(town.port, None) as caller:
        caller.target = target
        body, more = caller.call("get_note")
        assert isinstance(more, dict)
        if method == "POST":
            return caller.ask(body, {**more, **headers})
        return caller.ask(b"", {"accept": "text/event-stream", **headers}, method)


@pytest.mark.parametrize("header", WHERE)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("target", PLACES)
def test_a_token_in_a_header_of_keys_is_told_where_to_go(
    target: str, method: str, header: str, town: Town, sent: str
) -> None:
    answer = asked(town, target, {header: sent}, method)

    assert answer.status == 401
    assert "send it as `Authorization: Bearer TOKEN`" in answer.error["message"]
    told = answer.headers["www-authenticate"]
    assert 'error="invalid_request"' in told
    assert "Authorization: Bearer TOKEN" in told
    assert "resource_metadata=" in told
    assert sent not in str(answer)


@pytest.mark.parametrize("header", WHERE)
def test_a_token_in_both_places_is_refused_too(header: str, town: Town, sent: str) -> None:
    answer = asked(town, "/mcp/scripted", {"authorization": f"Bearer {sent}", header: sent}, "POST")

    assert answer.status == 401
    with Caller(town.port, sent) as erin:
        assert not refused(erin)  # nobody has ended it for that


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("target", PLACES)
def test_no_address_of_servers_takes_a_token_from_its_query(
    target: str, method: str, name: str, town: Town, sent: str
) -> None:
    for more in ({}, {"authorization": f"Bearer {sent}"}):
        answer = asked(town, f"{target}?{name}={sent}", more, method)

        assert answer.status == 401
        assert "ends up in logs" in answer.error["message"]
        assert "Authorization: Bearer" in answer.error["message"]


@pytest.mark.parametrize("path", ["/api/v1/me", "/cache/scripted"])
def test_no_address_of_administration_takes_anything_from_its_query(
    path: str, town: Town, sent: str
) -> None:
    for name in ("access_token", "apikey", "x"):
        assert _status(town, f"{path}?{name}={sent}", {}) == 401
        assert _status(town, f"{path}?{name}={KEYS['ALICE_KEY']}", {}) == 401


def test_provisioning_takes_its_token_from_one_header_alone(town: Town, sent: str) -> None:
    for query in (f"?access_token={TOKEN}", f"?token={TOKEN}", f"?apikey={sent}"):
        assert _status(town, f"/scim/v2/Users{query}", {}) == 401
    for headers in ({"apikey": TOKEN}, {"x-api-key": TOKEN}, {"authorization": f"Bearer {sent}"}):
        assert _status(town, "/scim/v2/Users", headers) == 401

    assert _status(town, "/scim/v2/Users", {"authorization": f"Bearer {TOKEN}"}) == 200


def test_the_way_to_say_it_is_the_same_at_the_api(town: Town, sent: str) -> None:
    for header in WHERE:
        with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
            line.request("GET", "/api/v1/me", headers={header: sent})
            answer = line.getresponse()
            said = answer.read().decode()

        assert answer.status == 401
        assert "send it as `Authorization: Bearer TOKEN`" in said


@pytest.mark.parametrize("header", WHERE)
def test_keys_go_where_they_always_did(header: str, town: Town) -> None:
    answer = asked(town, "/mcp/scripted", {header: KEYS["ALICE_KEY"]}, "POST")

    assert answer.status == 200


def test_nothing_written_down_holds_what_was_sent_to_the_wrong_place(town: Town, sent: str) -> None:
    assert sent.encode() not in town.written()


def _status(town: Town, target: str, headers: dict[str, str]) -> int:
    method = "DELETE" if target.startswith("/cache") else "GET"
    with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
        line.request(method, target, headers=headers)
        answer = line.getresponse()
        answer.read()
        return answer.status
