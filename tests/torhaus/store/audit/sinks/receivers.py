"""Receivers for sinks: scripted ones, and parcels for them."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.torhaus.cli.audit.records_on_disk import record, segment
from torhaus.audit.line import read
from torhaus.model.shipping import Parcel, SinkSettings, StdoutTarget
from torhaus.store.audit.sinks.courier import Courier, Pace
from torhaus.store.audit.sinks.positions import shelf

QUICK = Pace(look=0.01, first=0.01, longest=0.05, chance=lambda: 1.0)
SECONDS = 60.0


def parcel(second: int = 1, operation: str = "git_log", source: str = "seg-1.jsonl") -> Parcel:
    line = record(second, operation)[:-1]
    found = read(line)
    assert found is not None
    return Parcel(line, found, source, second)


class Scripted:
    """Does what it is told at each delivery, once; then takes everything."""

    def __init__(self, *script: Exception | Callable[[Sequence[Parcel]], None]) -> None:
        self.script = list(script)
        self.batches: list[list[str]] = []
        self.taken: list[str] = []
        self.closed = 0
        self._happened = threading.Condition()

    def deliver(self, batch: Sequence[Parcel]) -> None:
        with self._happened:
            self.batches.append([parcel.record.operation for parcel in batch])
            self._happened.notify_all()
            if self.script:
                turn = self.script.pop(0)
                if isinstance(turn, Exception):
                    raise turn
                turn(batch)
            self.taken += [parcel.record.operation for parcel in batch]

    def close(self) -> None:
        self.closed += 1

    def wait(self, done: Callable[[], bool]) -> None:
        """Until deliveries have made it true."""
        with self._happened:
            assert self._happened.wait_for(done, SECONDS), self.batches


class Running:
    """A courier in its thread, for a `with`."""

    def __init__(self, audit: Path, sink: Scripted, *, batch: int = 100) -> None:
        settings = SinkSettings(name="siem", target=StdoutTarget(), batch=batch)
        self.courier = Courier(audit, settings, lambda _settings: sink, QUICK)
        self._thread = threading.Thread(target=self.courier.run, daemon=True)

    def __enter__(self) -> "Running":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self) -> None:
        self.courier.leave()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


def logged(audit: Path, number: int, *operations: str) -> Path:
    """A segment with these records."""
    lines = [record(second, each) for second, each in enumerate(operations)]
    return segment(audit / "hot", number, b"".join(lines))


def rejected(audit: Path) -> bytes:
    return (shelf(audit) / "siem.rejected.jsonl").read_bytes()
