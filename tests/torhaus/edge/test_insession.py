import pytest

from tests.torhaus.cast import ALICE, BOB, NOW, github, randoms, run, sealer
from tests.torhaus.edge.doors import legacy, open_house, routing, said
from tests.torhaus.edge.fakes import exchange
from torhaus.edge.insession import found, required
from torhaus.edge.reading import Door
from torhaus.edge.visitor import Visitor
from torhaus.gate.sessions import LIFETIME, Hello, Sessions
from torhaus.mcp.message import CallerError
from torhaus.model.people import Principal
from torhaus.model.session import Session

HELLO = Hello(version="2025-06-18", capabilities=b"{}", client_info=b'{"name":"c"}')


def opened() -> tuple[Sessions, Session]:
    sessions = Sessions(sealer(), randoms())
    session = sessions.open(
        server="github", principal=ALICE.id, hello=HELLO, upstream_id=None, now=NOW
    )
    return sessions, session


def door(token: str | None, method: str = "POST", by: Principal = ALICE) -> Door:
    headers = {} if token is None else {"mcp-session-id": token}
    return Door(exchange(headers, method), Visitor(by, b"key"), github())


def test_a_request_belongs_to_the_session_that_its_head_names():
    sessions, session = opened()
    at = door(session.token)

    assert found(sessions, at, NOW + 1) is session
    assert required(sessions, at, NOW + 2) is session
    assert at.exchange.head.session is session
    assert session.last_used == NOW + 2


@pytest.mark.parametrize("by", [ALICE, BOB])
def test_a_head_that_was_seen_names_no_session_that_is_over(by: Principal):
    sessions, session = opened()
    at = door(session.token)
    found(sessions, at, NOW)
    at.exchange.head.scope = object()  # type: ignore[assignment]

    if by is ALICE:
        sessions.end(session)
        assert found(sessions, at, NOW) is None
    else:
        assert found(sessions, at, NOW + LIFETIME) is None

    assert at.exchange.head.session is None
    assert at.exchange.head.scope is None


def test_a_session_is_nobody_elses():
    sessions, session = opened()

    assert found(sessions, door(session.token, by=BOB), NOW) is None


@pytest.mark.parametrize(
    ("token", "method", "status"),
    [("unknown", "POST", 404), ("unknown", "GET", 404), (None, "POST", 400), (None, "DELETE", 405)],
)
def test_who_has_none_hears_how_to_begin(token: str | None, method: str, status: int):
    sessions, _ = opened()

    with pytest.raises(CallerError) as refused:
        required(sessions, door(token, method), NOW, b"7")

    assert refused.value.status == status
    assert refused.value.id == (None if status == 405 else b"7")


def test_a_head_that_names_the_new_era_stays_of_it_once_its_session_is_known() -> None:
    """Its notification finds the session; the request behind it is not for that session."""

    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()
            head = routing("tools/list")
            told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            for _ in range(2):  # the head is known by its octets the second time
                await caller.ask(told, head)
                refused = await caller.ask(legacy("tools/list"), head)

                assert "params._meta lacks" in said(refused)["error"]["message"]
                assert refused.status == 400

            assert said(await caller.ask(legacy("tools/list")))["result"]["tools"]

    run(story())
