"""What the house itself does and sees: starts and stops, new configurations, wrong credentials."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from torhaus.audit.acts import HOUSE, Act, act_record, refused_record, user
from torhaus.model.ports import Ledger, LedgerError
from torhaus.model.record import Record
from torhaus.model.strangers import Strangers

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two attempts to write what could not be written."""
MOST = 10_000
"""Records that wait for a log that cannot be written; more are lost, and that is logged."""


class Happenings:
    """Owned by one event loop. None of these can be refused, so their records wait if they must.

    `clock`: Unix seconds. `ids`: fresh ids.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._waiting: deque[Record] = deque()
        self._came = asyncio.Event()

    def started(self, version: str, configuration: str, interrupted: int) -> None:
        """`configuration`: digest of the file. `interrupted`: calls that a crash had ended."""
        facts: dict[str, Any] = {"version": version, "configuration": configuration}
        if interrupted:
            facts["interrupted"] = interrupted
        self._tell(Act(operation="gateway.started", facts=facts), "the gateway has started")

    def stopped(self) -> None:
        self._tell(Act(operation="gateway.stopped"), "the gateway was told to stop")

    def reloaded(
        self, before: str, after: str, changed: Mapping[str, Any], after_restart: Sequence[str]
    ) -> None:
        """`before` and `after`: digests. `changed`: kinds of things -> their names, no values."""
        facts: dict[str, Any] = {"changed": changed} if changed else {}
        if after_restart:
            facts["after_restart"] = list(after_restart)
        act = Act(
            operation="configuration.reloaded",
            facts=facts,
            before={"digest": before},
            after={"digest": after},
        )
        self._tell(act, "the file has changed")

    def reload_refused(self, digest: str, problems: int) -> None:
        """The file has changed to what cannot be put in force. `digest`: of what is in force."""
        act = Act(
            operation="configuration.reloaded",
            facts={"problems": problems},
            before={"digest": digest},
        )
        reason = "the file is not valid; the one before stays in force"
        self._add(
            refused_record(
                act, HOUSE, id=self._ids(), at=self._clock(), rule="invalid", reason=reason
            )
        )

    def strangers(self, gathered: Sequence[Strangers]) -> None:
        """Wrong credentials, gathered by address."""
        for each in gathered:
            facts = {"count": each.count, "since": each.since, "until": each.until}
            if each.addresses > 1:
                facts["addresses"] = each.addresses
            self._add(
                refused_record(
                    Act(operation="credentials.refused", facts=facts),
                    user("", (), each.ip),
                    id=self._ids(),
                    at=each.began,
                    rule="credentials",
                    reason=each.reason,
                )
            )

    def exposed(self, email: str, key: str, ip: str) -> None:
        """A key of the file has crossed a network in the clear; only its owner can replace it."""
        facts = {"from": ip, "key": key, "person": email}
        act = Act(operation="credential.exposed", facts=facts)
        self._tell(act, "it came unencrypted over a public network: replace it in the file")

    def _tell(self, act: Act, reason: str) -> None:
        id, at = self._ids(), self._clock()
        self._add(act_record(act, HOUSE, id=id, at=at, rule="house", reason=reason))

    def _add(self, record: Record) -> None:
        if len(self._waiting) >= MOST:
            log.error("audit.lost", records=1, error="too many wait for the audit log")
            return
        self._waiting.append(record)
        self._came.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            try:
                await self.write()
            except LedgerError:
                await asyncio.sleep(EVERY)  # the ledger has said so in the log
                self._came.set()

    async def write(self) -> None:
        """Returns once all records are as durable as configured. Raises LedgerError."""
        while self._waiting:
            record = self._waiting.popleft()  # it may be called by two at once, at the end
            try:
                kept = self._ledger.note(record)
                if kept is not None:
                    await kept
            except LedgerError:
                self._waiting.appendleft(record)
                raise

    async def close(self) -> None:
        """Write what is left, as far as that is possible."""
        try:
            await self.write()
        except LedgerError as error:
            log.error("audit.lost", records=len(self._waiting), error=str(error))
