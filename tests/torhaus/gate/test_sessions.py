import pytest

from tests.torhaus.cast import ALICE, BOB, NOW, randoms, sealer
from torhaus.gate.ended import DAY
from torhaus.gate.sessions import IDLE, LIFETIME, MAX_KEPT, Hello, Sessions
from torhaus.mcp.seal import Sealer
from torhaus.model.session import Session

HELLO = Hello(version="2025-06-18", capabilities=b'{"roots":{}}', client_info=b'{"name":"c"}')


def fresh() -> Sessions:
    return Sessions(sealer(), randoms())


def opened(sessions: Sessions, hello: Hello = HELLO, now: float = NOW) -> Session:
    return sessions.open(
        server="github", principal=ALICE.id, hello=hello, upstream_id="up-7", now=now
    )


def found(sessions: Sessions, token: str, now: float = NOW, **more: str) -> Session | None:
    return sessions.find(token, more.get("server", "github"), more.get("principal", ALICE.id), now)


def test_a_session_is_found_by_its_id():
    sessions = fresh()
    session = opened(sessions)

    assert found(sessions, session.token) is session
    assert all(0x21 <= ord(char) <= 0x7E for char in session.token)
    assert "up-7" not in session.token


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("foreign", [{"principal": BOB.id}, {"server": "sentry"}])
def test_it_is_nobody_elses_and_of_no_other_server(restarted: bool, foreign: dict[str, str]):
    sessions = fresh()
    token = opened(sessions).token
    if restarted:
        sessions = fresh()

    assert found(sessions, token, **foreign) is None
    assert len(sessions) == (0 if restarted else 1)


def test_a_restart_brings_it_back_with_all_it_needs():
    before = opened(fresh())
    sessions = fresh()

    after = found(sessions, before.token, NOW + 5)

    assert after is not None
    assert (after.version, after.capabilities, after.client_info) == (
        HELLO.version,
        HELLO.capabilities,
        HELLO.client_info,
    )
    assert before.client == after.client == "c"
    assert (after.upstream_id, after.jti, after.expires) == ("up-7", before.jti, before.expires)
    assert after.last_used == NOW + 5
    assert found(sessions, before.token) is after


@pytest.mark.parametrize("restarted", [False, True])
def test_it_ends_after_its_lifetime(restarted: bool):
    sessions = fresh()
    token = opened(sessions).token
    if restarted:
        sessions = fresh()

    assert found(sessions, token, NOW + LIFETIME - 1) is not None
    assert found(sessions, token, NOW + LIFETIME) is None


def test_an_ended_session_never_comes_back():
    sessions = fresh()
    session = opened(sessions)

    sessions.end(session)

    assert session.closed
    assert found(sessions, session.token) is None
    assert found(sessions, session.token, NOW + LIFETIME - 1) is None
    assert len(sessions) == 0


def test_no_other_spelling_of_an_id_finds_a_session():
    sessions = fresh()
    token = opened(sessions).token
    spellings = {token[:-1] + char for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef=-_"} - {token}

    assert [each for each in spellings | {token + "=", token.rstrip("=")} - {token}
            if found(sessions, each) is not None] == []  # fmt: skip


@pytest.mark.parametrize("token", ["", "x", "\u2603", "A" * 100_000, "th.x"])
def test_what_is_no_id_finds_nothing(token: str):
    assert found(fresh(), token) is None


def test_an_id_sealed_for_another_purpose_finds_nothing():
    token = sealer().seal(b"not a session", b"", NOW + 60)
    other = Sealer(b"another secret of at least 32 bytes", randoms())

    assert found(fresh(), token) is None
    assert found(Sessions(other, randoms()), opened(fresh()).token) is None


@pytest.mark.parametrize("which", ["capabilities", "client_info"])
def test_what_a_client_says_of_itself_at_length_is_kept_here_but_not_in_its_id(which: str):
    long = b'{"x":"' + b"x" * MAX_KEPT + b'"}'
    hello = Hello(
        version="2025-06-18",
        capabilities=long if which == "capabilities" else b"{}",
        client_info=long if which == "client_info" else b"{}",
    )
    sessions = fresh()
    session = opened(sessions, hello)

    back = found(fresh(), session.token)

    assert getattr(session, which) == long
    assert len(session.token) < MAX_KEPT
    assert back is not None
    assert getattr(back, which) in (b"{}", b"")


def test_the_longest_id_still_comes_back():
    hello = Hello(version="v", capabilities=b"x" * MAX_KEPT, client_info=b"y" * MAX_KEPT)

    assert found(fresh(), opened(fresh(), hello).token) is not None


def test_idle_sessions_are_let_go_and_can_come_back():
    sessions = fresh()
    idle, busy, listening, used = (opened(sessions) for _ in range(4))
    busy.running[b"1"] = lambda: None
    listening.streams = 1
    found(sessions, used.token, NOW + 1)

    assert sessions.sweep(NOW + IDLE) == [idle]
    assert set(sessions.all()) == {busy, listening, used}
    assert found(sessions, idle.token, NOW + IDLE) is not None


def test_what_ended_is_forgotten_only_when_its_id_has_expired():
    sessions = fresh()
    session = opened(sessions)
    sessions.end(session)

    sessions.sweep(NOW + LIFETIME - 1)
    assert found(sessions, session.token, NOW + LIFETIME - 1) is None
    sessions.sweep(NOW + LIFETIME)
    assert found(sessions, session.token, NOW + LIFETIME) is None
    sessions.sweep(NOW + LIFETIME + DAY)
    assert len(sessions._ended) == 0
