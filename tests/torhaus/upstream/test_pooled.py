"""Sessions lent to callers that keep none."""

import asyncio
import contextlib
import json

import pytest

from tests.torhaus.upstream.pipes import Memo, run, until
from torhaus.model.ports import Notice, UpstreamError
from torhaus.upstream.pooled import Pooled, StatelessSink


class House:
    """Opens and closes sessions, as slowly or badly as a story wants."""

    def __init__(self, idle=300.0):
        self.opened, self.closed = [], []
        self.trouble = None
        self.gate = None
        self.pooled = Pooled("web", self.opens, self.closed.append, idle)

    async def opens(self, session):
        self.opened.append(session.principal)
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        session.initialized = True


@contextlib.asynccontextmanager
async def house(**more):
    built = House(**more)
    try:
        yield built
    finally:
        built.pooled.end()


def test_each_principal_has_a_session_of_its_own():
    async def story():
        async with house() as town:
            alice = await town.pooled.borrow("alice")
            bob = await town.pooled.borrow("bob")
            town.pooled.give_back(alice)
            again = await town.pooled.borrow("alice")

            assert alice is again
            assert alice is not bob
            assert (alice.principal, alice.capabilities) == ("alice", b"{}")
            assert town.opened == ["alice", "bob"]

    run(story())


def test_an_idle_session_is_closed_and_a_busy_one_is_not():
    async def story():
        async with house(idle=0.05) as town:
            idle, busy = [await town.pooled.borrow(name) for name in ("alice", "bob")]
            town.pooled.give_back(idle)
            await until(lambda: town.closed)
            await asyncio.sleep(0.2)
            assert town.closed == [idle]

            town.pooled.give_back(busy)
            await until(lambda: len(town.closed) == 2)
            assert len(town.pooled) == 0
            assert town.pooled._sweeping is None
            assert await town.pooled.borrow("alice") is not idle

    run(story())


def test_a_session_in_use_by_several_calls_waits_for_the_last():
    async def story():
        async with house(idle=0.05) as town:
            first = await town.pooled.borrow("alice")
            await town.pooled.borrow("alice")
            town.pooled.give_back(first)
            await asyncio.sleep(0.15)
            assert town.closed == []

            town.pooled.give_back(first)
            await until(lambda: town.closed)

    run(story())


def test_a_session_that_does_not_open_is_tried_again():
    async def story():
        async with house(idle=0.05) as town:
            town.trouble = UpstreamError("it answered HTTP 500")
            with pytest.raises(UpstreamError):
                await town.pooled.borrow("alice")
            town.trouble = None

            session = await town.pooled.borrow("alice")
            assert session.initialized
            town.pooled.give_back(session)
            await until(lambda: town.closed == [session])

    run(story())


def test_a_caller_that_hangs_up_while_it_opens_does_not_keep_it():
    async def story():
        async with house(idle=0.05) as town:
            town.gate = asyncio.Event()
            caller = asyncio.create_task(town.pooled.borrow("alice"))
            await until(lambda: town.opened)
            caller.cancel()
            await asyncio.wait([caller])

            await until(lambda: len(town.pooled) == 0)

    run(story())


def test_the_end_closes_all_and_leaves_no_timer():
    async def story():
        async with house() as town:
            lent = [await town.pooled.borrow(name) for name in ("alice", "bob")]
            town.pooled.give_back(lent[0])
            town.pooled.end()

            assert town.closed == lent
            assert town.pooled._sweeping is None
            town.pooled.give_back(lent[1])
            assert town.pooled._sweeping is None

    run(story())


# What a stateless caller hears


def heard(notices, level=None):
    memo, answered = Memo(), []
    sink = StatelessSink(memo, level, answered.append)
    for notice in notices:
        sink.notice(notice)
    return memo, [json.loads(each) for each in answered]


def note(method, params=None, **more):
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params or {}}).encode()
    return Notice(body=body, method=method, **more)


def test_progress_passes_without_an_event_id():
    memo, answered = heard([note("notifications/progress", {"progress": 1}, event_id="e1")])

    assert memo.methods() == ["notifications/progress"]
    assert memo.notices[0].event_id is None
    assert answered == []


@pytest.mark.parametrize(
    ("wanted", "said", "passes"),
    [
        (None, "error", False),
        ("nonsense", "error", False),
        ("warning", "error", True),
        ("warning", "warning", True),
        ("warning", "info", False),
        ("debug", "debug", True),
        ("debug", None, True),
        ("debug", ["x"], True),
    ],
)
def test_log_messages_pass_from_the_wanted_level_on(wanted, said, passes):
    memo, _ = heard([note("notifications/message", {"level": said})], wanted)

    assert bool(memo.notices) is passes


def test_an_unreadable_log_message_is_dropped():
    body = b'{"method":"notifications/message","params":[1]}'

    memo, _ = heard([Notice(body=body, method="notifications/message")], "debug")

    assert memo.notices == []


@pytest.mark.parametrize(
    "notice",
    [
        note("notifications/tools/list_changed"),
        Notice(body=b"", event_id="e0"),
        Notice(body=b'{"id":9,"result":{}}', id=b"9"),
    ],
)
def test_what_belongs_to_sessions_stays_behind(notice):
    memo, answered = heard([notice], "debug")

    assert (memo.notices, answered) == ([], [])


def test_a_ping_is_answered():
    memo, answered = heard([note("ping", id=b'"p1"')])

    assert answered == [{"jsonrpc": "2.0", "id": "p1", "result": {}}]
    assert memo.notices == []


@pytest.mark.parametrize("method", ["elicitation/create", "sampling/createMessage", "roots/list"])
def test_a_question_nobody_can_be_asked_is_refused_at_once(method):
    memo, answered = heard([note(method, id=b"5")])

    assert answered[0]["id"] == 5
    assert answered[0]["error"]["code"] == -32601
    assert memo.notices == []


def test_a_slow_reader_slows_the_server():
    memo, said = Memo(), []
    sink = StatelessSink(memo, None, said.append)

    sink.throttle = said.append
    memo.throttle(True)
    sink.opened()

    assert said == [True]
    assert sink.throttle is memo.throttle
    assert memo.established
