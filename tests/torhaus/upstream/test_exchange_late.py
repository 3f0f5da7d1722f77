"""A server that answers twice: nobody who comes behind gets what is another's."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, run, said, session, tool
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    Heard,
    Wire,
    chunk,
    event,
    whole,
)
from tests.torhaus.upstream.webs import LEGACY, MODERN, linked
from torhaus.upstream.faults import FaultError

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
WHO = ("alice", "carol")
ANOTHERS = "it answered another request than the one it was sent"


def message(heard: Heard) -> dict[str, Any]:
    text = f"of {heard.message['params']['name']}"
    result = {"resultType": "complete", "content": [{"type": "text", "text": text}]}
    return {"jsonrpc": "2.0", "id": heard.message["id"], "result": result}


def error(heard: Heard) -> dict[str, Any]:
    told = {"code": -32603, "message": f"of {heard.message['params']['name']}"}
    return {"jsonrpc": "2.0", "id": heard.message["id"], "error": told}


def compact(said: dict[str, Any]) -> bytes:
    """As it is known at a glance."""
    return json.dumps(said, separators=(",", ":")).encode()


def answered(heard: Heard) -> bytes:
    return whole(compact(message(heard)))


def spaced(heard: Heard) -> bytes:
    return whole(json.dumps(message(heard)).encode())


def refused(heard: Heard) -> bytes:
    return whole(compact(error(heard)))


def refused_by_status(heard: Heard) -> bytes:
    return whole(compact(error(heard)), "400 Bad Request")


def streamed(heard: Heard) -> bytes:
    return STREAM + chunk(event(compact(message(heard)), "id: e1")) + LAST


def streamed_error(heard: Heard) -> bytes:
    return STREAM + chunk(event(compact(error(heard)))) + LAST


def stream_that_lasts(heard: Heard) -> bytes:
    return STREAM + chunk(event(compact(message(heard)), "id: e1"))


def stream_labelled_as_json(heard: Heard) -> bytes:
    return whole(event(compact(message(heard))))


Form = Callable[[Heard], bytes]
FORMS = [
    answered,
    spaced,
    refused,
    refused_by_status,
    streamed,
    streamed_error,
    stream_that_lasts,
    stream_labelled_as_json,
]


def late(again: Form) -> Callable[[Wire], Any]:
    """Answers each request a second time while the next one waits."""

    async def script(wire: Wire) -> None:
        before = None
        while True:
            heard = await wire.request()
            if before is not None:
                wire.say(again(before))
                await asyncio.sleep(0.01)
            wire.say(answered(heard))
            before = heard

    return script


async def call(link: Any, number: int, **more: Any) -> str:
    """What comes of a call of one of the two: his own answer, or why there is none."""
    name = f"{WHO[number % 2]}{number}"
    try:
        answer = await link.request(tool(name, {}, meta=META, who=WHO[number % 2], **more), Memo())
    except FaultError as fault:
        return str(fault)
    assert said(answer) == f"of {name}"
    return "his own"


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("again", FORMS)
def test_a_second_answer_is_nobody_elses(again: Form, loop: str) -> None:
    async def story() -> None:
        async with linked(late(again), MODERN) as (server, link):
            ends = [await call(link, number) for number in range(6)]

            assert ends == ["his own", ANOTHERS] * 3
            assert len(server.wires) == 3  # none is used once it is behind

    run(story(), loop)


@pytest.mark.parametrize("id", [b"0", b"1", b'"1"', b'"q"', b"-1", b"3000000000", b"9" * 17])
@pytest.mark.parametrize("again", FORMS)
def test_nor_is_it_in_sessions_which_all_begin_with_one(again: Form, id: bytes) -> None:
    async def story() -> None:
        fronts = [session(f"of {who}", who) for who in WHO]
        async with linked(late(again), LEGACY) as (server, link):
            ends = [await call(link, n, session=fronts[n % 2], id=id) for n in range(6)]

            assert ends == ["his own", ANOTHERS] * 3
            assert len(server.wires) == 3

    run(story())
