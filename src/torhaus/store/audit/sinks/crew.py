"""All sinks of a gateway: a thread each, started and ended together."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from torhaus.model.shipping import AuditSink, SinkSettings, SinkState
from torhaus.store.audit.sinks.courier import Courier, Pace
from torhaus.store.audit.sinks.registry import make

log = structlog.get_logger()


class Crew:
    """`audit`: `data/audit`. Delivery never touches calls: it reads what they left on disk."""

    def __init__(
        self,
        audit: Path,
        sinks: Sequence[SinkSettings],
        build: Callable[[SinkSettings], AuditSink] = make,
        pace: Pace | None = None,
    ) -> None:
        self._couriers = [Courier(audit, each, build, pace) for each in sinks]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        # Daemons: a receiver that hangs for ever must not keep the process from ending.
        self._threads = [
            threading.Thread(target=each.run, name=f"sink {number}", daemon=True)
            for number, each in enumerate(self._couriers)
        ]
        for thread in self._threads:
            thread.start()

    def states(self) -> list[SinkState]:
        return [each.state() for each in self._couriers]

    def close(self, timeout: float = 5.0) -> bool:
        """Bring what is left, once the log is closed. False when some did not end in time.

        What is not delivered by then is after the next start.
        """
        for courier in self._couriers:
            courier.leave()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        late = sum(thread.is_alive() for thread in self._threads)
        if late:
            log.warning("audit.sinks_late", sinks=late)
        return not late
