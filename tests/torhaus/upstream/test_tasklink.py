"""Links that need a task of their own, called from drives that are none."""

import asyncio

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, run, session, tool, until
from torhaus.edge.drive import Drive
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.upstream.tasklink import TaskLink


class Inner:
    """A link that uses what only works in a task."""

    def __init__(self):
        self.did, self.cancelled, self.gate = [], 0, asyncio.Event()

    async def _act(self, name):
        assert asyncio.current_task() is not None
        self.did.append(name)
        try:
            async with asyncio.timeout(5.0):
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def request(self, ask, sink):
        await self._act("request")
        if ask.method == "bad":
            raise UpstreamError("it is broken")
        return Answer(result=b"{}")

    async def post(self, session, principal, body):
        await self._act("post")

    async def listen(self, session, last_event_id, sink):
        await self._act("listen")

    async def close(self, session):
        await self._act("close")

    def state(self):
        return "ready"

    async def shutdown(self):
        self.did.append("shutdown")


def driven(work):
    """Run a coroutine as the edge does: without a task. What it ended with, when it has."""
    ended = []
    drive = Drive(None, work, lambda _, error: ended.append(error))
    asyncio.get_running_loop().call_soon(drive.step)
    return drive, ended


ACTS = {
    "request": lambda link: link.request(tool("a"), Memo()),
    "post": lambda link: link.post(session(), "alice", b"{}"),
    "listen": lambda link: link.listen(session(), None, Memo()),
    "close": lambda link: link.close(session()),
}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_runs_in_a_task(name):
    async def story():
        inner = Inner()
        _, ended = driven(ACTS[name](TaskLink(inner)))
        await until(lambda: inner.did == [name])
        inner.gate.set()
        await until(lambda: ended)

        assert ended == [None]

    run(story())


@pytest.mark.parametrize("name", ACTS)
def test_cancelling_the_drive_cancels_the_act(name):
    async def story():
        inner = Inner()
        drive, ended = driven(ACTS[name](TaskLink(inner)))
        await until(lambda: inner.did)
        drive.cancel()
        await until(lambda: ended)

        assert inner.cancelled == 1

    run(story())


def test_answers_and_errors_come_through():
    async def story():
        inner = Inner()
        inner.gate.set()
        link = TaskLink(inner)

        assert (await link.request(tool("a"), Memo())).result == b"{}"
        with pytest.raises(UpstreamError, match="it is broken"):
            await link.request(msgspec.structs.replace(tool("a"), method="bad"), Memo())

    run(story())


def test_state_and_end_are_the_links_own():
    async def story():
        inner = Inner()
        link = TaskLink(inner)
        await link.shutdown()

        assert link.state() == "ready"
        assert inner.did == ["shutdown"]

    run(story())
