"""A server that answers twice: nobody who comes behind gets what is another's."""

import asyncio
import json
from collections.abc import Callable

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, run, said, tool
from tests.torhaus.upstream.servers.http_server import Heard, Wire, whole
from tests.torhaus.upstream.webs import MODERN, linked
from torhaus.upstream.exchange import _read as incoming
from torhaus.upstream.exchange import anothers
from torhaus.upstream.faults import FaultError

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


def answered(heard: Heard) -> bytes:
    text = f"of {heard.message['params']['name']}"
    result = {"resultType": "complete", "content": [{"type": "text", "text": text}]}
    return json.dumps({"jsonrpc": "2.0", "id": heard.message["id"], "result": result}).encode()


def spaced(heard: Heard) -> bytes:
    """As no server writes that is known at a glance."""
    return answered(heard).replace(b'"id"', b' "id"')


def refused(heard: Heard) -> bytes:
    told = {"code": -32603, "message": f"of {heard.message['params']['name']}"}
    return json.dumps({"jsonrpc": "2.0", "id": heard.message["id"], "error": told}).encode()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("again", [answered, spaced, refused])
def test_a_second_answer_is_nobody_elses(again: Callable[[Heard], bytes], loop: str) -> None:
    async def twice(wire: Wire) -> None:
        before = None
        while True:
            heard = await wire.request()
            if before is not None:  # it comes while the next one waits
                wire.say(whole(again(before)))
                await asyncio.sleep(0.01)
            wire.say(whole(answered(heard)))
            before = heard

    async def story() -> None:
        right = wrong = 0
        why: set[str] = set()
        async with linked(twice, MODERN) as (server, link):
            for number in range(12):
                who = ("alice", "carol")[number % 2]
                name = f"{who}{number}"
                try:
                    answer = await link.request(tool(name, {}, meta=META, who=who), Memo())
                except FaultError as error:
                    why.add(str(error))
                    wrong += 1
                    continue
                assert said(answer) == f"of {name}"
                right += 1
            assert why == {"it answered another request than the one it was sent"}
            assert len(server.wires) == wrong  # none is used once it is behind
        assert (right, wrong) == (6, 6)

    run(story(), loop)


@pytest.mark.parametrize(
    ("id", "is_anothers"),
    [
        (b"7", False),
        (b"7.0", False),
        (b'"7"', False),
        (b"8", True),
        (b"8.5", True),
        (b'"server-error"', False),
        (b"null", False),
    ],
)
def test_only_a_number_of_another_request_says_so(id: bytes, is_anothers: bool) -> None:
    message = incoming(b'{"jsonrpc":"2.0","id":%b,"error":{"code":1,"message":"x"}}' % id)

    assert message is not None
    assert anothers(message, b"7") is is_anothers
