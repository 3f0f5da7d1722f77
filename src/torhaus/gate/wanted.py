"""What exactly somebody is asked to agree to."""

import hashlib

from torhaus.audit.parameters import parameters
from torhaus.cache.key import canonical
from torhaus.gate.calls import Asking
from torhaus.mcp.message import encode
from torhaus.model.approval import Wanted
from torhaus.model.call import Call
from torhaus.model.verdict import Hold

PLAIN = frozenset(("name", "arguments"))
"""What nearly every tools/call consists of; then approvers see the arguments alone."""

MAX_SHOWN = 256 * 1024
"""Bytes of arguments that somebody can look at; what is longer cannot be agreed to."""
HIDDEN = (b'{"_truncated":', b'{"_invalid":')


def wanted(asking: Asking, call: Call, hold: Hold, policy_version: str) -> Wanted:
    """The digest is over user, server, method, and everything the request says but `_meta`.

    For a tools/call that is the tool, its exact arguments, and what few send: a `task`, or answers
    to a question of the server's that nobody agreed to yet. Raises ValueError for what is not JSON,
    and for what is too long to be looked at: nobody agrees to what he cannot see.
    """
    said = {key: value for key, value in asking.request.params.items() if key != "_meta"}
    bound = canonical([call.caller.id, call.server.name, call.method, said])
    plain = call.method == "tools/call" and said.keys() <= PLAIN
    shown = call.payload if plain else encode(said)
    seen = bytes(parameters(shown, MAX_SHOWN))
    if seen.startswith(HIDDEN):
        raise ValueError("too long or too deep to be looked at")
    return Wanted(
        digest=hashlib.sha256(bound).digest(),
        requester=call.caller.id,
        email=call.caller.email,
        server=call.server.name,
        tool=call.operation,
        arguments=seen.decode(),
        policy=hold.rule,
        reason=hold.reason,
        policy_version=policy_version,
        approvers=hold.approvers,
        shown=call.shown,
    )
