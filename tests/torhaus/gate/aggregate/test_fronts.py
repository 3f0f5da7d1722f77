"""Sessions in front and behind."""

import asyncio
import json

import msgspec

from tests.torhaus.cast import DANA, run, settled
from tests.torhaus.gate.aggregate.crowd import Crowd, Member
from torhaus.gate.aggregate.fronts import Front
from torhaus.gate.sessions import Hello
from torhaus.model.session import Session


def session(crowd: Crowd, capabilities: bytes = b"{}") -> Session:
    hello = Hello(version="2025-06-18", capabilities=capabilities, client_info=b'{"name":"c"}')
    return crowd.sessions.open(
        server="*", principal=DANA.id, hello=hello, upstream_id=None, now=crowd.clock()
    )


def test_a_session_behind_is_made_once_and_opened_by_its_first_request():
    async def story() -> None:
        crowd = Crowd()
        fronts, front = crowd.many.fronts, crowd.many.fronts.of(session(crowd))
        heard: list[str] = []
        front.opens.append(heard.append)

        docs = fronts.member(front, crowd.servers["docs"])

        assert docs is fronts.member(front, crowd.servers["docs"])
        assert docs is fronts.peek(front, crowd.servers["docs"])
        assert (docs.unopened, docs.version, docs.client) == (True, "2025-06-18", "c")
        assert heard == ["docs"]

    run(story())


def test_sessions_behind_differ_by_server_and_outlive_a_restart():
    async def story() -> None:
        crowd, other = Crowd(), Crowd()
        front = session(crowd)
        mine = crowd.many.fronts.of(front)
        docs = crowd.many.fronts.member(mine, crowd.servers["docs"])
        tea = crowd.many.fronts.member(mine, crowd.servers["tea"])
        again = other.many.fronts.member(other.many.fronts.of(front), other.servers["docs"])

        token = crowd.talk.seals(docs).request(b"5")

        assert len({docs.jti, tea.jti, front.jti}) == 3
        assert other.talk.seals(again).open_request(token) == b"5"

    run(story())


def test_what_a_client_can_do_is_told_without_tasks():
    async def story() -> None:
        crowd = Crowd()
        front = crowd.many.fronts.of(session(crowd, b'{"roots":{},"tasks":{}}'))

        member = crowd.many.fronts.member(front, crowd.servers["docs"])

        assert json.loads(member.capabilities) == {"roots": {}}

    run(story())


def test_one_of_many_hears_of_what_it_may_ask_alone():
    async def story() -> None:
        crowd = Crowd()
        front = crowd.many.fronts.of(session(crowd, b'{"roots":{},"sampling":{}}'))
        trusted = msgspec.structs.replace(crowd.servers["tea"], asks_among=("sampling",))

        docs = crowd.many.fronts.member(front, crowd.servers["docs"])
        tea = crowd.many.fronts.member(front, trusted)

        assert json.loads(docs.capabilities) == {"roots": {}}
        assert json.loads(tea.capabilities) == {"sampling": {}}

    run(story())


def test_capabilities_that_are_none_are_none_behind():
    async def story() -> None:
        crowd = Crowd()
        front = crowd.many.fronts.of(session(crowd, b'["tasks"]'))

        assert crowd.many.fronts.member(front, crowd.servers["docs"]).capabilities == b"{}"

    run(story())


def test_the_end_in_front_is_the_end_behind():
    async def story() -> None:
        crowd = Crowd()
        mine = session(crowd)
        front = crowd.many.fronts.of(mine)
        member = crowd.many.fronts.member(front, crowd.servers["docs"])
        stopped: list[int] = []
        mine.running[b"1"] = lambda: stopped.append(1)

        await crowd.many.fronts.end(mine)
        await crowd.many.fronts.end(mine)

        assert (member.closed, len(crowd.many.fronts)) == (True, 0)
        assert crowd.members["docs"].closed == [member]
        assert stopped == [1, 1]

    run(story())


def test_a_server_that_does_not_close_holds_up_no_other():
    async def story() -> None:
        crowd = Crowd()
        mine = session(crowd)
        front = crowd.many.fronts.of(mine)
        for name in ("docs", "tea"):
            crowd.many.fronts.member(front, crowd.servers[name])
        crowd.members["docs"] = Stuck(name="docs")

        end = asyncio.ensure_future(crowd.many.fronts.end(mine))
        await settled()

        assert len(crowd.members["tea"].closed) == 1
        end.cancel()
        await asyncio.wait([end])

    run(story())


class Stuck(Member):
    async def close(self, session: Session) -> None:
        await asyncio.get_running_loop().create_future()


def test_what_waits_for_a_resumed_stream_is_bounded():
    front = Front(session(Crowd()))

    for number in range(300):
        front.sent[b"%d" % number] = "docs"
        front.left(b"%d" % number)
    front.left(b"unknown")

    assert len(front.detached) == 256
    assert b"0" not in front.detached


def test_a_change_is_told_on_one_stream():
    class Ear:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def changed(self, server: str, notice: str) -> None:
            self.heard.append(server)

        def recheck(self) -> None:
            """Nothing to check."""

        def reruled(self) -> None:
            """Nothing to say."""

    front, ears = Front(session(Crowd())), [Ear(), Ear()]
    front.streams.extend(ears)

    front.changed("docs", "x")

    assert [ear.heard for ear in ears] == [["docs"], []]
