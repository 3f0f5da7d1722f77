"""How old stored credentials may be, and which of them are too old."""

from enum import StrEnum

from torhaus.model.vault import TYPED, Kept, Rotation, Standing


class Aged(StrEnum):
    """`DUE`: people are told. `OVER`: older than policy allows."""

    DUE = "due"
    OVER = "over"


def aged(kept: Kept, rotation: Rotation, now: float) -> Aged | None:
    """None for what is young, was replaced, or comes from an authorization server by itself."""
    if not watched(kept):
        return None
    age = now - kept.rotated
    if age >= rotation.limit:
        return Aged.OVER
    return Aged.DUE if age >= rotation.warn else None


def watched(kept: Kept) -> bool:
    return kept.kind in TYPED and kept.state is Standing.CURRENT


def rotate_by(kept: Kept, rotation: Rotation) -> float | None:
    """The first moment at which it is older than policy allows; None where policy has no say."""
    return kept.rotated + rotation.limit if watched(kept) else None
