"""Who hears what a server says unasked."""

import asyncio

from tests.torhaus.upstream.pipes import (
    Memo,
    ask,
    heard,
    linked,
    run,
    session,
    tool,
)
from torhaus.model.servers import Sharing


def test_news_goes_once_to_each_session_and_to_its_listening_stream_first():
    async def story():
        async with linked() as link:
            one, two = session("s1"), session("s2")
            stream, call = Memo(), Memo()
            listening = asyncio.ensure_future(link.listen(one, None, stream))
            await asyncio.sleep(0)
            await link.request(tool("change", session=two), call)
            listening.cancel()
            await asyncio.wait([listening])

            news = ["notifications/tools/list_changed", "notifications/resources/updated"]
            assert stream.methods() == news
            assert call.methods() == news

    run(story())


def test_people_who_share_a_connection_hear_only_what_is_theirs():
    async def story():
        async with linked(sharing=Sharing.SHARED) as link:
            alice, bob = session("s1", "alice"), session("s2", "bob")
            for_alice, for_bob = Memo(), Memo()
            streams = [
                asyncio.ensure_future(link.listen(alice, None, for_alice)),
                asyncio.ensure_future(link.listen(bob, None, for_bob)),
            ]
            await link.request(
                ask("resources/subscribe", {"uri": "file:///a"}, session=bob), Memo()
            )
            sink = Memo()
            await link.request(tool("log", session=alice), sink)
            await link.request(tool("change", session=alice), Memo())
            for stream in streams:
                stream.cancel()
            await asyncio.wait(streams)

            assert sink.methods() == ["notifications/message"] * 2
            assert for_alice.methods() == ["notifications/tools/list_changed"]
            assert for_bob.methods() == [
                "notifications/tools/list_changed",
                "notifications/resources/updated",
            ]

    run(story())


def test_log_messages_below_a_sessions_level_are_kept_from_it():
    async def story():
        async with linked() as link:
            quiet, chatty = session("s1"), session("s2")
            await link.request(ask("logging/setLevel", {"level": "debug"}, session=chatty), Memo())
            await link.request(ask("logging/setLevel", {"level": "error"}, session=quiet), Memo())
            messages = await heard(link, quiet)
            few, all_of_them = Memo(), Memo()
            await link.request(tool("log", session=quiet), few)
            await link.request(tool("log", session=chatty), all_of_them)

            levels = [m["params"]["level"] for m in messages if m["method"] == "logging/setLevel"]
            assert levels == ["debug", "debug"]
            assert len(few.notices) == 1
            assert len(all_of_them.notices) == 2

    run(story())
