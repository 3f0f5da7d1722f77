"""A ledger that lets nothing secret through, and names nobody where that is asked for."""

from collections.abc import Awaitable
from hashlib import sha256

import msgspec
import structlog

from torhaus.model.ports import Ledger, LedgerError
from torhaus.model.record import (
    NO_CALL,
    Record,
    RecordAccess,
    RecordCall,
    RecordResult,
    RecordUser,
)
from torhaus.redact.guard import Guard
from torhaus.redact.text import UncheckableError
from torhaus.store.audit.veiling import Veiling

log = structlog.get_logger()

_REMEMBERED = 16384
"""Texts that were found clean: names, rules and reasons come again and again."""

_LOOKED_AT = 64
"""Suspicious arguments and what became of them: an intent's come again with its outcome."""

replace = msgspec.structs.replace
_encode = msgspec.json.Encoder().encode


class DiscreetLedger:
    """Every text of a record passes the guard; most records leave as the very same object."""

    __slots__ = ("_clean", "_guard", "_ledger", "_parameters_of", "_sight", "_veiling", "healthy")

    def __init__(self, ledger: Ledger, guard: Guard, veiling: Veiling | None = None) -> None:
        self._veiling = veiling
        self._ledger = ledger
        self._guard = guard
        self._clean: set[str] = set()
        self._parameters_of: dict[bytes, msgspec.Raw] = {}
        self._sight = guard.sight
        self.healthy = ledger.healthy  # asked for each call

    def note(self, record: Record) -> Awaitable[None] | None:
        if self._sight is not self._guard.sight:  # other secrets than before
            self._clean.clear()
            self._parameters_of.clear()
            self._sight = self._guard.sight
        clean, access = self._clean, record.access_control
        if (
            record.operation not in clean
            or access.reason not in clean
            or access.policy_applied not in clean
            or record.call.client not in clean
            or record.user.role not in clean
            or record.user.ip not in clean
            or record.user.email not in clean
            or record.mcp_server not in clean
            or record.call.protocol not in clean
            or record.credential not in clean
            or self._guard.suspects(record.parameters)
        ):
            record = self._checked(record)
        if self._veiling is not None:
            record = self._veiled(record, self._veiling)
        return self._ledger.note(record)

    @staticmethod
    def _veiled(record: Record, veiling: Veiling) -> Record:
        try:
            return veiling.veiled(record)
        except (OSError, ValueError) as error:
            log.error("audit.pseudonyms_failed", error=str(error))
            raise LedgerError("the keys of pseudonyms cannot be kept") from error

    # -- a closer look -------------------------------------------------------------------------

    def _checked(self, record: Record) -> Record:
        user, access, call, result = (
            record.user,
            record.access_control,
            record.call,
            record.result,
        )
        text = self._text
        return replace(
            record,
            request_id=text(record.request_id),
            user=RecordUser(text(user.email), text(user.role), text(user.ip)),
            mcp_server=text(record.mcp_server),
            operation=text(record.operation),
            parameters=self._parameters(record.parameters),
            result=self._result(result),
            access_control=self._access(access),
            call=self._call(call),
            credential=text(record.credential),
        )

    def _result(self, result: RecordResult) -> RecordResult:
        return replace(result, status=self._text(result.status))

    def _access(self, access: RecordAccess) -> RecordAccess:
        approval = None if access.approval is None else self._text(access.approval)
        return replace(
            access,
            policy_applied=self._text(access.policy_applied),
            reason=self._text(access.reason),
            approval=approval,
        )

    def _call(self, call: RecordCall) -> RecordCall:
        found = replace(
            call,
            client=self._text(call.client),
            protocol=self._text(call.protocol),
            trace=self._text(call.trace),
        )
        return call if call is NO_CALL else found  # the encoder leaves out that very object

    def _parameters(self, raw: msgspec.Raw) -> msgspec.Raw:
        """Taken out again when met the second time: hardly any comes a third time."""
        text = bytes(raw)
        known = self._parameters_of.pop(text, None)
        if known is not None:
            return known
        found = self._masked(raw, text)
        if len(self._parameters_of) >= _LOOKED_AT:
            del self._parameters_of[next(iter(self._parameters_of))]
        self._parameters_of[text] = found
        return found

    def _masked(self, raw: msgspec.Raw, text: bytes) -> msgspec.Raw:
        try:
            clean = self._guard.json(text)
        except UncheckableError:
            digest = sha256(text).hexdigest()
            return msgspec.Raw(_encode({"_withheld": True, "bytes": len(text), "sha256": digest}))
        return raw if clean is text else msgspec.Raw(clean)

    def _text(self, text: str) -> str:
        if text in self._clean:
            return text
        found = self._guard.text(text)
        if found is text:
            if len(self._clean) >= _REMEMBERED:
                self._clean.clear()
            self._clean.add(text)
        return found
