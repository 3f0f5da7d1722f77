"""The cache, through the gate."""

import json

import pytest

from tests.torhaus.cast import BOB, MALLORY, World, github, keeping, run
from tests.torhaus.scripted import note, text
from torhaus.model.outcome import Answer, Answered, Failed, Limited, Refused
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.servers import Window


def caching(**more: object) -> World:
    return World(github(caching=keeping(60.0), **more)).knows_the_tools()


def said(outcome: object) -> str:
    assert isinstance(outcome, Answered)
    assert outcome.answer.result is not None
    return str(json.loads(outcome.answer.result)["content"][0]["text"])


# -- the cache ------------------------------------------------------------------------------------


def test_a_fresh_answer_is_given_again_and_costs_no_budget():
    async def story() -> None:
        world = caching(rate_limit=Window(1, 3600.0))
        first = await world.admit(world.tool("list_issues", {"repo": "a"}))
        world.clock.turn(59)

        again = await world.admit(world.tool("list_issues", {"repo": "a"}))
        other = await world.admit(world.tool("list_issues", {"repo": "b"}))

        assert isinstance(again, Answered)
        assert (again.cached, again.age) == (True, 59.0)
        assert said(again) == said(first)
        assert isinstance(other, Limited)
        assert len(world.upstream.asked) == 1
        assert [record.result.cached for record in world.ledger.noted] == [False, True, False]

    run(story())


def test_an_answer_is_forgotten_when_its_time_is_up():
    async def story() -> None:
        world = caching()
        await world.admit(world.tool("list_issues"))
        world.clock.turn(60)

        again = await world.admit(world.tool("list_issues"))

        assert isinstance(again, Answered)
        assert not again.cached

    run(story())


def test_everyone_who_may_ask_shares_an_answer_and_nobody_else_gets_it():
    async def story() -> None:
        world = caching()
        await world.admit(world.tool("list_issues"))

        shared = await world.admit(world.tool("list_issues", by=BOB))
        refused = await world.admit(world.tool("list_issues", by=MALLORY))

        assert isinstance(shared, Answered)
        assert shared.cached
        assert isinstance(refused, Refused)
        assert [record.user.email for record in world.ledger.noted] == [
            "alice@example.org",
            "bob@example.org",
            "mallory@example.org",
        ]

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        text("broken", isError=True),
        text("soon", resultType="input_required"),
        text("mine", cacheScope="private"),
        text("gone", ttlMs=0),
        Answer(error=b'{"code":-32000,"message":"no"}'),
        Answer(result=b'{"task":{"taskId":"7"}}'),
        Answer(result=b"[]"),
    ],
)
def test_what_is_no_plain_success_is_never_kept(answer: Answer):
    async def story() -> None:
        world = caching()
        world.upstream.answers(answer)

        for _ in range(2):
            outcome = await world.admit(world.tool("list_issues"))
            assert isinstance(outcome, Answered)
            assert not outcome.cached

        assert len(world.upstream.asked) == 2

    run(story())


def test_a_failure_is_never_kept():
    async def story() -> None:
        world = caching()
        world.upstream.fails(UpstreamError("down"))
        assert isinstance(await world.admit(world.tool("list_issues")), Failed)

        world.upstream.answers(text("up again"))

        assert said(await world.admit(world.tool("list_issues"))) == "up again"

    run(story())


def test_an_answer_that_asked_its_caller_something_is_never_kept():
    async def story() -> None:
        world = caching()

        async def asks(ask: Ask, sink: Sink) -> Answer:
            sink.notice(note("elicitation/create", {"message": "your team?"}, id=7))
            return text("for your team only")

        world.upstream.script = asks

        for _ in range(2):
            outcome = await world.admit(world.tool("list_issues", session=world.session()))
            assert isinstance(outcome, Answered)
            assert not outcome.cached

    run(story())


@pytest.mark.parametrize("method", ["notifications/progress", "ping"])
def test_progress_and_pings_do_not_keep_an_answer_out_of_the_cache(method: str):
    async def story() -> None:
        world = caching()

        async def busy(ask: Ask, sink: Sink) -> Answer:
            sink.notice(note(method, {}, id=7 if method == "ping" else None))
            return text("done")

        world.upstream.script = busy
        await world.admit(world.tool("list_issues", session=world.session()))
        again = await world.admit(world.tool("list_issues", session=world.session()))

        assert isinstance(again, Answered)
        assert again.cached

    run(story())


@pytest.mark.parametrize("extra", [{"inputResponses": {}}, {"requestState": None}])
def test_a_retry_is_never_answered_from_the_cache(extra: dict[str, object]):
    async def story() -> None:
        world = caching()
        await world.admit(world.tool("list_issues"))

        again = await world.admit(world.tool("list_issues", extra=extra))

        assert isinstance(again, Answered)
        assert not again.cached
        assert len(world.upstream.asked) == 2

    run(story())


def test_a_kept_answer_is_written_for_the_era_of_whoever_gets_it():
    async def story() -> None:
        world = caching()
        session = world.session()
        world.upstream.answers(text("x", resultType="complete", _meta={"trace": 1}))
        await world.admit(world.tool("list_issues"))
        legacy = await world.admit(world.tool("list_issues", session=session))
        assert isinstance(legacy, Answered)
        assert legacy.cached
        assert json.loads(legacy.answer.result or b"") == {
            "content": [{"type": "text", "text": "x"}],
            "_meta": {"trace": 1, "torhaus/cache": {"hit": True, "age": 0, "expires": 60}},
        }

        world.upstream.answers(text("y"))
        await world.admit(world.tool("list_issues", {"page": 2}, session=session))
        modern = await world.admit(world.tool("list_issues", {"page": 2}))
        assert isinstance(modern, Answered)
        assert modern.cached
        assert json.loads(modern.answer.result or b"")["resultType"] == "complete"

    run(story())


@pytest.mark.parametrize("tail", [b'"x":1e400', b'"x":"\xff"', b'"x":"\xff","_meta":{}'])
def test_a_kept_answer_that_cannot_be_read_is_no_bug(tail: bytes):
    async def story() -> None:
        world = caching()
        world.upstream.answers(Answer(result=b'{"content":[],%b}' % tail))

        for session in (None, world.session(), None):
            outcome = await world.admit(world.tool("list_issues", session=session))
            assert isinstance(outcome, Answered | Failed)

        assert len(world.ledger.noted) == 3

    run(story())
