"""What exactly somebody is asked to agree to."""

import hashlib
from typing import Any

from torhaus.audit.parameters import parameters
from torhaus.cache.key import canonical
from torhaus.gate.calls import Asking
from torhaus.mcp.message import encode
from torhaus.model.approval import Wanted
from torhaus.model.call import Call
from torhaus.model.verdict import Hold

OF_THE_ROUND = frozenset(("_meta", "requestState", "inputResponses"))
"""Parameters that change from one sending of the same request to the next."""


def subject(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters that say what the request does."""
    return {key: value for key, value in params.items() if key not in OF_THE_ROUND}


def wanted(asking: Asking, call: Call, hold: Hold, policy_version: str) -> Wanted:
    """The digest is over user, server, method, and everything the request says of what it does.

    For a tools/call that is the tool and its exact arguments. Raises ValueError for what is not
    JSON.
    """
    said = subject(asking.request.params)
    bound = canonical([call.caller.id, call.server.name, call.method, said])
    shown = call.payload if call.method == "tools/call" else encode(said)
    return Wanted(
        digest=hashlib.sha256(bound).digest(),
        requester=call.caller.id,
        email=call.caller.email,
        server=call.server.name,
        tool=call.operation,
        arguments=bytes(parameters(shown)).decode(),
        policy=hold.rule,
        reason=hold.reason,
        policy_version=policy_version,
        approvers=hold.approvers,
    )
