"""Which budgets a call draws on."""

from functools import lru_cache

from torhaus.model.call import Call
from torhaus.model.ports import Charge
from torhaus.model.servers import Window

# What reaches a tool or data. Lists, pings and session traffic are free.
CHARGED = frozenset({"tools/call", "resources/read", "prompts/get", "completion/complete"})

_SPANS = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}


def charges(call: Call) -> tuple[Charge, ...]:
    """One charge on the caller's window with this server, or none. Taken all or not at all."""
    window = call.server.rate_limit
    if window is None or call.method not in CHARGED:
        return ()
    # No server name holds a blank, so no two pairs make the same key.
    return (
        Charge(f"{call.server.name} {call.caller.id}", window, _spoken(call.server.name, window)),
    )


@lru_cache(maxsize=1024)
def _spoken(server: str, window: Window) -> str:
    """`github: 100 calls per hour`."""
    span = _SPANS.get(window.seconds, f"{window.seconds:g} seconds")
    calls = "call" if window.requests == 1 else "calls"
    return f"{server}: {window.requests} {calls} per {span}"
