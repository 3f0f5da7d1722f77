"""Second factors as they are kept, and what a typed code proves."""

from torhaus.admin.signin.acts import Proof
from torhaus.identity import recovery, totp
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.accounts import Password

FOR_EVER = 1e12


def sealed(sealer: Sealer, email: str, secret: bytes) -> bytes:
    """Bound to the account: moved to another, it does not open."""
    return sealer.seal(secret, _bound(email), FOR_EVER).encode()


def proof(sealer: Sealer, account: Password, code: str, now: float) -> Proof | None:
    """What the code uses up; None when it opens nothing."""
    secret = _secret(sealer, account, now)
    step = None if secret is None else totp.step_of(secret, code, now, account.last_step)
    if step is not None:
        return Proof(step=step)
    left = recovery.without(account.recovery, code)
    return None if left is None else Proof(before=account, left=left)


def readable(sealer: Sealer, account: Password, now: float) -> bool:
    """Whether codes of the app can be compared here at all."""
    return _secret(sealer, account, now) is not None


def _secret(sealer: Sealer, account: Password, now: float) -> bytes | None:
    if account.second_factor is None:
        return None
    try:
        return sealer.unseal(account.second_factor.decode("ascii"), _bound(account.email), now)
    except (SealError, UnicodeDecodeError):
        return None


def _bound(email: str) -> bytes:
    return binding("second factor", email)
