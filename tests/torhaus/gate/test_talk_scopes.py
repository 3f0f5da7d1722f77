"""A stream is held to what the credential that opened it may do, not to all its owner may."""

import asyncio

import msgspec
import pytest

from tests.torhaus.cast import World, person, run
from tests.torhaus.gate.streams import Stream
from tests.torhaus.scripted import note
from tests.torhaus.witnesses import Window
from torhaus.policy.scopes import permissions, scoped


@pytest.mark.parametrize("scope", ["github:resources:read", "github:issues:read"])
def test_news_of_resources_are_for_credentials_that_may_read_some(scope: str):
    async def story() -> None:
        world, front = World(), Window()
        session, stream = world.session(), Stream(world)
        owner = person("alice", "developer", "github:resources:read", "github:issues:read")
        world.rules = msgspec.structs.replace(world.rules, principals={owner.id: owner})
        caller = scoped(owner, permissions([scope]))
        work = world.talk.listen(world.server, session, caller, None, front)
        task = asyncio.ensure_future(work)
        sink = await stream.opened()

        sink.notice(note("notifications/resources/updated", {"uri": "file:///plan"}))
        stream.end()
        await task

        assert len(front.messages()) == (1 if scope == "github:resources:read" else 0)

    run(story())
