"""How a server is shown a token: as a bearer token, or with a proof for each request (DPoP)."""

from collections.abc import Callable

from torhaus.model.ports import UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.vault import Content
from torhaus.upstream.accounts import Shown
from torhaus.upstream.oauth.dpop import NONCE, Key, Prover
from torhaus.upstream.oauth.wellknown import Challenge


def shown(content: Content, of: str = "", prover: Prover | None = None) -> Shown:
    """`of`: whose it is there, as far as that is known."""
    scheme = "Bearer" if prover is None else "DPoP"
    header = ("Authorization", Secret(f"{scheme} {content.value}"))
    return Shown((header,), tuple(Secret(each) for each in content.secrets()), of, prover)


def proving(
    content: Content,
    clock: Callable[[], float],
    ids: Callable[[], str],
    former: Shown | None = None,
) -> Prover | None:
    """None for a token that is not bound. `former`: what was shown before it.

    Raises UpstreamError.
    """
    key = bound_to(content)
    if key is None:
        return None
    before = None if former is None else former.prover
    return Prover(key, content.value, clock, ids, before if isinstance(before, Prover) else None)


def bound_to(content: Content) -> Key | None:
    """Raises UpstreamError."""
    try:
        return Key.read(content.proof_key) if content.proof_key else None
    except ValueError as error:
        raise UpstreamError("the key of its token cannot be read: connect it anew") from error


def unproved(shown: Shown, said: Challenge) -> UpstreamError | None:
    """What no other token would mend: the server does not take proofs that are right."""
    if shown.prover is None:
        return None
    match said.error:
        case "invalid_dpop_proof":
            text = "it does not take Torhaus's proofs (DPoP): compare the clocks of both machines"
            return UpstreamError(text)
        case error if error == NONCE.decode():
            return UpstreamError("it asks for one nonce after another (DPoP)")
        case _:
            return None
