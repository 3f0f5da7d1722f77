"""Lists of servers that never say that they have changed."""

import asyncio

from tests.torhaus.upstream.pipes import Memo, run, until
from torhaus.upstream.flow import Brake, Tap
from torhaus.upstream.listeners import Listeners, Subscription
from torhaus.upstream.unsaid import Unsaid

TOOLS = "notifications/tools/list_changed"
PROMPTS = "notifications/prompts/list_changed"
BOTH = frozenset((TOOLS, PROMPTS))


def test_a_listener_looks_again_after_a_call_at_once_and_then_only_now_and_then():
    async def story():
        told = []
        unsaid = Unsaid(told.append, pause=0.05)

        for _ in range(5):
            unsaid.called(BOTH)
        assert told == [PROMPTS, TOOLS]
        await until(lambda: len(told) == 4)
        unsaid.called(BOTH)
        assert len(told) == 4
        unsaid.end()
        await asyncio.sleep(0.1)
        assert len(told) == 4

    run(story())


def test_after_a_pause_without_calls_the_next_one_is_told_at_once():
    async def story():
        told = []
        unsaid = Unsaid(told.append, pause=0.01)
        unsaid.called(BOTH)
        await asyncio.sleep(0.05)

        unsaid.called(frozenset((TOOLS,)))

        assert told == [PROMPTS, TOOLS, TOOLS]
        unsaid.end()

    run(story())


def test_what_a_server_announces_or_has_not_is_not_guessed():
    async def story():
        memo = Memo()
        wanted = frozenset(("toolsListChanged", "promptsListChanged", "resourcesListChanged"))
        subscription = Subscription(b"1", wanted, Tap(memo, Brake()))
        everybody = Listeners()
        following = asyncio.create_task(everybody.follow(subscription))
        await until(lambda: memo.notices)

        everybody.called({"tools": {"listChanged": True}, "resources": None})
        assert len(memo.notices) == 1
        everybody.called({"tools": {"listChanged": False}, "prompts": {"listChanged": True}})

        assert [each["method"] for each in memo.bodies()[1:]] == [TOOLS]
        following.cancel()
        await asyncio.wait([following])

    run(story())
