"""The records of what the gateway answers itself, in front of many servers."""

from collections.abc import Mapping
from typing import Any

from torhaus.audit.shape import record
from torhaus.gate.aggregate.fronts import MANY
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.gate import Gate
from torhaus.gate.masking import obligation
from torhaus.mcp.message import encode
from torhaus.mcp.versions import MODERN
from torhaus.model.call import Call
from torhaus.model.outcome import Answer, Answered
from torhaus.model.servers import Server, StdioAddress
from torhaus.model.verdict import Allow

RULE, REASON = "aggregate", "the gateway answers this itself"


async def note(gate: Gate, guest: Guest, method: str) -> None:
    """The record of what no server had to be asked for. Raises LedgerError."""
    call = _call(gate, guest, method, method, {}, b"")
    await _kept(gate, call, Answer(result=b"{}"), Allow(RULE, REASON), gate.clock())


async def note_tool(
    gate: Gate,
    guest: Guest,
    servers: list[Server],
    tool: str,
    arguments: Mapping[str, Any],
    result: bytes,
) -> None:
    """The same of a call of one of the gateway's own tools, which looks at `servers`.

    What has to be masked on one of them is masked in what was asked. Raises LedgerError.
    """
    now = gate.clock()
    rules = (obligation(guest.caller, server.name, now) for server in servers)
    verdict = Allow(RULE, REASON, redact=next((each for each in rules if each is not None), None))
    call = _call(gate, guest, "tools/call", tool, arguments, encode(arguments))
    await _kept(gate, call, Answer(result=result), verdict, now)


def _call(
    gate: Gate,
    guest: Guest,
    method: str,
    operation: str,
    arguments: Mapping[str, Any],
    payload: bytes,
) -> Call:
    gate.intents.possible()
    front = guest.front
    return Call(
        id=gate.ids(),
        caller=guest.caller,
        server=Server(name=MANY + guest.view.name, address=StdioAddress(command="")),
        method=method,
        operation=operation,
        arguments=arguments,
        payload=payload,
        ip=guest.ip,
        client=guest.client,
        protocol=MODERN if front is None else front.session.version,
        trace=guest.trace,
        sent=len(payload),
        shown=guest.shown,
    )


async def _kept(gate: Gate, call: Call, answer: Answer, verdict: Allow, now: float) -> None:
    masked = 0
    if verdict.redact is not None:
        call, masked = gate.masking.recorded(call, verdict, None)
    entry = record(call, Answered(verdict, answer), now, gate.clock() - now, masked)
    kept = gate.ledger.note(entry)
    if kept is not None:
        await kept
