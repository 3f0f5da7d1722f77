"""A gate killed at any moment: what reached a server is known, and every call is counted once."""

import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.clients.running import environment
from tests.stories.town import Town, server
from tests.stories.upstream import Talk, Upstream
from tests.torhaus.cli.terminal import torhaus

CLIENTS = 8
LONGEST = 0.6
"""Seconds between a start and its kill, at most."""
EARLY = 0.25
"""The share of starts that are killed before anybody calls, some in the midst of settling."""
SEED = 20251020


@pytest.mark.parametrize(
    "kills",
    [3, pytest.param(200, marks=pytest.mark.soak)],
    ids=["three kills", "two hundred kills"],
)
def test_nothing_that_reached_a_server_is_unknown_and_nothing_counts_twice(
    kills: int, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    with Book(tmp_path / "reached") as book, Upstream(tricks={"create_note": book.trick}) as far:
        town = Doomed(far.url, tmp_path / "town")
        answered: set[str] = set()
        for number in range(kills):
            if number and dice.random() < EARLY:
                town.die_early(dice.uniform(0.0, LONGEST))
                continue
            answered |= town.work_and_die(f"{number}", dice.uniform(0.05, LONGEST))
        with town:
            settled = town.lines()
            assert town.stop() == 0
        check(settled, book.words(), answered)
        assert town.lines()[: len(settled)] == settled
        proved(town)
        print(figures(kills, town.lines(), book.words(), answered))


def check(lines: list[dict[str, Any]], reached: list[str], answered: set[str]) -> None:
    intents = [each for each in lines if each.get("phase") == "intent"]
    ends = [each for each in lines if each.get("phase") != "intent"]
    outcomes = [each for each in ends if each.get("phase") == "outcome"]

    assert set(reached) <= set(words(intents)), "the server did what no intent tells of"
    assert twice(reached) == [], "the server was asked twice for one call"
    assert answered <= set(words(ends)), "a client had an answer that no record tells of"
    assert twice(words(ends)) == [], "a call counts twice"
    assert twice(words(intents)) == [], "a call has two intents"
    assert twice([each["request_id"] for each in ends]) == [], "a call has two ends"
    ids = {each["request_id"]: each for each in outcomes}
    for intent in intents:
        outcome = ids[intent["request_id"]]  # every one has its outcome
        for name in ("user", "mcp_server", "operation", "parameters"):
            assert intent[name] == outcome[name]
    assert len(intents) == len(outcomes)


def words(records: list[dict[str, Any]]) -> list[str]:
    """What the clients said: each call another word."""
    found = [each["parameters"].get("word") for each in records]
    return [each for each in found if each is not None]


def twice(values: list[str]) -> list[str]:
    return [each for each, count in Counter(values).items() if count > 1]


def proved(town: Town) -> None:
    said = torhaus("audit", "verify", "--data-dir", str(town.data), at=town.home)
    assert said.code == 0, said.out + said.err


def figures(kills: int, lines: list[dict[str, Any]], reached: list[str], answered: set[str]) -> str:
    statuses = Counter(each["result"]["status"] for each in lines if words([each]))
    return (
        f"{kills} kills: {len(reached)} writes reached the server, {len(answered)} calls were "
        f"answered; records by status: {dict(statuses)}"
    )


class Book:
    """What reached the server, durably: a word a line, written before it answers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()

    def __enter__(self) -> "Book":
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def trick(self, talk: Talk) -> None:
        word = talk.seen.message["params"]["arguments"]["word"]
        with self._turn:
            os.write(self._fd, f"{word}\n".encode())
            os.fdatasync(self._fd)
        talk.answer(talk.said(word))

    def words(self) -> list[str]:
        return self._path.read_text().split()


class Doomed(Town):
    """A gateway that is killed again and again."""

    def __init__(self, url: str, home: Path) -> None:
        config = {
            "mcpServers": {"scripted": server(url)},
            "audit_logs": {"durability": "durable"},
        }
        super().__init__(config, home)
        self.env = {**environment(home), **self.env}

    def die_early(self, seconds: float) -> None:
        """Killed while it starts, or just after."""
        self._process = self.launch()
        time.sleep(seconds)
        self.kill()

    def work_and_die(self, name: str, seconds: float) -> set[str]:
        """Killed under load; returns what its clients had answers to."""
        self.start()
        load = [Client(self, f"{name}.{each}") for each in range(CLIENTS)]
        for each in load:
            each.start()
        time.sleep(seconds)
        self.kill()
        for each in load:
            each.join()
        assert [each.surprise for each in load if each.surprise] == []
        return {word for each in load for word in each.answered}


class Client(threading.Thread):
    """Writes and reads in turns until the gate is gone."""

    def __init__(self, town: Town, name: str) -> None:
        super().__init__(daemon=True)
        self.answered: list[str] = []
        self.surprise = ""
        self._town = town
        self._name = name

    def run(self) -> None:
        # Whatever it is that ends the connection, it is the kill.
        with suppress(OSError, AssertionError, ValueError), self._town.caller() as caller:
            for number in range(1_000_000):
                word = f"{self._name}.{number}"
                tool = "create_note" if number % 2 == 0 else "get_note"
                said = caller.tool(tool, {"word": word}).text
                if word not in said:
                    self.surprise = f"asked {word}, got {said}"
                    return
                self.answered.append(word)
