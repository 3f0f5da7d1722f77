"""A link whose every act runs in a task of its own, for links that use timeouts and task groups."""

import asyncio
from collections.abc import Mapping

from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream.checks import Checked


class TaskLink:
    """Wraps a link. Calls come from drives, which are no tasks (see `edge/drive.py`)."""

    def __init__(self, link: Checked) -> None:
        self._link = link

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        return await asyncio.ensure_future(self._link.request(ask, sink))

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        await asyncio.ensure_future(self._link.post(session, principal, body))

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        await asyncio.ensure_future(self._link.listen(session, last_event_id, sink))

    async def close(self, session: Session) -> None:
        await asyncio.ensure_future(self._link.close(session))

    async def check(self, seconds: float) -> Mapping[str, UpstreamError | None]:
        return await self._link.check(seconds)

    def state(self) -> str:
        return self._link.state()

    async def shutdown(self) -> None:
        await self._link.shutdown()
