"""What may be sent once more: only what was certainly not begun, or may be done twice (U7, U12)."""

from torhaus.model.ports import UpstreamError
from torhaus.upstream.exchange import Reply
from torhaus.upstream.http import BrokenError
from torhaus.upstream.pipe import NotSentError
from torhaus.upstream.replies import is_dead

NONCES = 2
"""How often a request goes again because the server wants another nonce in its proof (DPoP).

Once is the rule; twice where its nonce has changed meanwhile, or others of its nodes have others.
"""


def again(ended: UpstreamError | Reply, *, kept: bool = False, safe: bool = False) -> bool:
    """Whether a request that ended so may go out once more.

    `kept`: on a connection that was used before, which the server may just have closed. `safe`:
    its method may be done twice. No connection, 429, 503 and silence are for the caller to decide:
    an answer of a proxy does not prove that nothing behind it has begun, whatever `Retry-After`
    says.
    """
    match ended:
        case NotSentError():
            return True
        case BrokenError():
            return kept and safe and not ended.answered
        case Reply():
            return is_dead(ended)
        case _:
            return False
