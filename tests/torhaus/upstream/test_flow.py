"""Readers that cannot keep up."""

import asyncio

from tests.torhaus.upstream.pipes import (
    Memo,
    linked,
    run,
    said,
    session,
    tool,
    until,
)


def test_a_slow_reader_holds_the_server_back():
    async def story():
        async with linked() as link:
            sink = Memo()
            call = tool("flood", {"count": 50_000}, meta={"progressToken": 1}, session=session())
            task = asyncio.ensure_future(link.request(call, sink))
            await until(lambda: len(sink.notices) > 10)
            sink.throttle(True)
            await asyncio.sleep(0.2)
            held = len(sink.notices)
            await asyncio.sleep(0.3)
            assert len(sink.notices) == held < 50_000
            sink.throttle(False)

            assert said(await task) == "flooded"
            assert len(sink.notices) == 50_000

    run(story())


def test_a_reader_that_stays_slow_loses_notifications_but_stops_nobody_else():
    async def story():
        async with linked() as link:
            slow, fast = session("s1"), session("s2")
            stream = Memo()
            listening = asyncio.ensure_future(link.listen(slow, None, stream))
            await link.request(tool("echo", session=fast), Memo())
            stream.throttle(True)
            held = asyncio.ensure_future(link.request(tool("change", session=fast), Memo()))
            await asyncio.sleep(0.3)
            assert not held.done()
            assert said(await held) == "changed"
            assert stream.notices == []
            stream.throttle(False)
            await link.request(tool("change", session=fast), Memo())
            assert len(stream.notices) == 2
            listening.cancel()
            await asyncio.wait([listening])

    run(story())
