"""A gate that dies in the middle of everything has lost no record of an answered call."""

import http.client
import threading
import time
from pathlib import Path

import pytest

from tests.clients.gateway import Gateway
from tests.clients.wire import Wire
from tests.soak.conftest import HEADERS

CLIENTS = 16


@pytest.mark.parametrize(
    ("crashes", "seconds"),
    [(1, 1.5), pytest.param(5, 4.0, marks=pytest.mark.soak)],
    ids=["one crash", "five crashes"],
)
def test_every_answer_a_client_received_has_its_record(
    crashes: int, seconds: float, gateway: Gateway
) -> None:
    answered: set[str] = set()
    for crash in range(crashes):
        load = [Load(gateway.url("echo"), f"{crash}.{each}") for each in range(CLIENTS)]
        for each in load:
            each.start()
        time.sleep(seconds)
        gateway.kill()
        for each in load:
            each.join()
        assert [each.surprise for each in load if each.surprise is not None] == []
        answered |= {word for each in load for word in each.answered}
        words = [each["parameters"].get("message") for each in gateway.records()]
        recorded = [each for each in words if each is not None]
        assert answered - set(recorded) == set()
        assert len(recorded) == len(set(recorded)), "a call has two records"
        gateway.start()

    assert len(answered) >= 100 * crashes
    assert broken_lines(gateway.data) <= crashes


class Load(threading.Thread):
    """One client that calls until the gate is gone, and remembers what was answered."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(daemon=True)
        self.answered: list[str] = []
        self.surprise: str | None = None
        self._url = url
        self._prefix = name

    def run(self) -> None:
        try:
            wire = Wire(self._url, HEADERS)
            wire.open()
            for number in range(1_000_000):
                word = f"{self._prefix}.{number}"
                result = wire.tool("echo", {"message": word})
                if result["content"][0]["text"] != word:
                    self.surprise = f"asked {word}, got {result}"
                    return
                self.answered.append(word)
        except (OSError, http.client.HTTPException):
            return  # the crash
        except RuntimeError as error:
            self.surprise = str(error)


def broken_lines(data: Path) -> int:
    """Records cut in half: at most one for each crash, at the end of a segment."""
    segments = (data / "audit" / "hot").glob("*.jsonl")
    return sum(1 for each in segments if each.read_bytes()[-1:] not in (b"", b"\n"))
