"""A client of 2024-11-05: one connection that it reads, and others on which it sends."""

import json
from collections.abc import AsyncIterator
from typing import Any

from tests.torhaus.edge.doors import INITIALIZE, Caller, House, events, legacy
from tests.torhaus.edge.lanes import Answer


class Oldie:
    """`address`: where it was told to send its messages."""

    def __init__(self, ear: Caller, mouth: Caller) -> None:
        self.ear = ear
        self.mouth = mouth
        self.address = ""
        self._chunks: AsyncIterator[bytes]
        self._told: list[Any] = []

    async def open(self) -> tuple[int, dict[bytes, bytes]]:
        """Open the stream; when it is there, take the address."""
        self.ear.send(b"", {"accept": "text/event-stream"}, "GET")
        status, headers = await self.ear.client.head()
        if status == 200:
            self._chunks = self.ear.client.chunks()
            name, data = (await anext(self._chunks)).rstrip().split(b"\n")
            assert name == b"event: endpoint"
            self.address = self.mouth.target = data.removeprefix(b"data: ").decode()
        return status, headers

    async def post(self, body: object) -> Answer:
        return await self.mouth.ask(body)

    async def heard(self) -> Any:
        """The next message on the stream."""
        while not self._told:
            self._told += events(await anext(self._chunks))
        return self._told.pop(0)

    async def ask(self, method: str, params: object = None, id: object = 1) -> Any:
        answer = await self.post(legacy(method, params, id))
        assert (answer.status, answer.body) == (202, b"")
        return await self.heard()

    async def begin(self) -> Any:
        opened = await self.ask("initialize", INITIALIZE, 0)
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return opened

    async def rest(self) -> list[Any]:
        """What still comes, until the stream ends."""
        return [each async for chunk in self._chunks for each in events(chunk)]


async def oldie(house: House, key: str = "alice-key", target: str = "/mcp/github/sse") -> Oldie:
    """One that has its stream."""
    old = Oldie(await house.connect(key, target), await house.connect(key, target))
    status, _ = await old.open()
    assert status == 200
    return old


def message(answer: Answer) -> str:
    """What a refusal says."""
    return str(json.loads(answer.body)["error"]["message"])
