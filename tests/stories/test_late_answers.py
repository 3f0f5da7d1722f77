"""A server that answers a second time, late: what it says of one person's call reaches no other."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.stories.caller import Caller
from tests.stories.town import Town, server
from tests.stories.upstream import JSON, SSE, Talk, Upstream

ANOTHERS = "answered another request than the one it was sent"
IDS = [1, "1", -3, 2**60]


class Late:
    """A tool that says whose it is, twice: once in time, and when the next call waits."""

    def __init__(self, head: str) -> None:
        self.before: dict[socket.socket, str] = {}
        self._head = head

    def __call__(self, talk: Talk) -> None:
        before = self.before.get(talk.line)
        if before is not None:
            streamed = self._head == SSE
            talk.answer(f"id: e1\ndata: {before}\n\n" if streamed else before, head=self._head)
            time.sleep(0.02)
        own = talk.said(talk.seen.message["params"]["arguments"]["text"])
        self.before[talk.line] = json.dumps(json.loads(own), separators=(",", ":"))
        talk.answer(own)


@pytest.fixture(scope="module")
def behind() -> Iterator[Upstream]:
    tricks = {"get_json": Late(JSON), "get_stream": Late(SSE)}
    with Upstream(tricks=tricks, modern=False) as running:
        yield running


@pytest.fixture(scope="module")
def late_town(behind: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config = {"mcpServers": {"scripted": server(behind.url)}}
    with Town(config, tmp_path_factory.mktemp("late")) as running:
        yield running


def end(caller: Caller, name: str, text: str, id: object) -> str:
    answer = caller.tool(name, {"text": text}, id)
    assert answer.message["id"] == id
    return answer.text


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("name", ["get_json", "get_stream"])
def test_nobody_gets_what_another_was_told(name: str, id: object, late_town: Town) -> None:
    with late_town.caller("ALICE") as alice, late_town.caller("CAROL") as carol:
        for each in (alice, carol):
            each.begin()

        wrong = 0
        for turn in range(3):
            first = end(alice, name, f"{turn} of alice", id)
            second = end(carol, name, f"{turn} of carol", id)

            assert first == f"{turn} of alice" or ANOTHERS in first
            assert second == f"{turn} of carol" or ANOTHERS in second
            wrong += (ANOTHERS in first) + (ANOTHERS in second)

    assert wrong  # hers came on the connection of the other


@pytest.mark.parametrize("id", IDS)
def test_what_reaches_the_server_is_another_id_for_each(
    id: object, late_town: Town, behind: Upstream
) -> None:
    with late_town.caller("ALICE") as alice, late_town.caller("CAROL") as carol:
        for each in (alice, carol):
            each.begin()
            assert each.tool("get_note", id=id).message["id"] == id

    first, second = (each.message["id"] for each in behind.calls("get_note")[-2:])
    assert first != second
    assert id not in (first, second)
