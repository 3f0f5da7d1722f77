"""Streams of sessions that listen."""

import asyncio

from tests.torhaus.upstream.pipes import (
    Memo,
    linked,
    run,
    session,
    tool,
    until,
)


def test_a_second_stream_of_a_session_replaces_the_first():
    async def story():
        async with linked() as link:
            front, first, second = session(), Memo(), Memo()
            old = asyncio.ensure_future(link.listen(front, None, first))
            await until(lambda: first.established)
            new = asyncio.ensure_future(link.listen(front, None, second))
            await asyncio.wait_for(old, 60)
            await link.request(tool("change", session=front), Memo())

            assert first.notices == []
            assert len(second.notices) == 2
            new.cancel()
            await asyncio.wait([new])

    run(story())
