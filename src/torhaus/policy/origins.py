"""Where a call comes from: networks, and the client's own name for itself."""

from torhaus.model.networks import lies_in
from torhaus.model.verdict import Deny, Step
from torhaus.policy import refusals
from torhaus.policy.asked import Asked, Trace


def misplaced(asked: Asked, trace: Trace) -> Deny | None:
    """Of every request, also those that are open: somebody elsewhere is told nothing at all."""
    call = asked.call
    for origin in asked.access.origins:
        if origin.networks is not None and not lies_in(origin.networks, call.ip):
            return refusals.elsewhere(asked, origin.rule)
        if origin.clients is not None and not named(call.client, origin.clients):
            return refusals.other_client(asked, origin.rule, origin.clients)
        if trace is not None:
            said = f"from {call.ip} with {call.client or 'a client without a name'}"
            trace.append(Step("origin", "pass", origin.rule, said))
    return None


def named(client: str, clients: frozenset[str]) -> bool:
    """Without regard to case. A client without a name is none of them."""
    return bool(client) and any(client.casefold() == each.casefold() for each in clients)
