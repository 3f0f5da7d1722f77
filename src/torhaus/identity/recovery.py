"""Recovery codes: ten that each open once, for who has lost the second factor. Pure."""

from collections.abc import Callable
from hashlib import sha256

COUNT = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that look like others."""
LENGTH = 16


def codes(random: Callable[[int], bytes]) -> tuple[str, ...]:
    """Fresh ones, of 79 random bits each. `random(n)` returns n random bytes."""
    return tuple(_code(random) for _ in range(COUNT))


def digest(code: str) -> str:
    """What is kept of a code, in hexadecimal. Blanks, hyphens and case do not matter."""
    return sha256(_plain(code).encode()).hexdigest()


def without(kept: tuple[str, ...], code: str) -> tuple[str, ...] | None:
    """The digests that are left when this code is spent; None when it is none of them.

    They are found by digest, so that timing tells nothing of them.
    """
    spent = digest(code)
    return tuple(each for each in kept if each != spent) if spent in kept else None


def _code(random: Callable[[int], bytes]) -> str:
    number = int.from_bytes(random(2 * LENGTH))  # so many bits that the remainder is even
    letters = []
    for _ in range(LENGTH):
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    text = "".join(letters)
    return "-".join(text[at : at + 4] for at in range(0, LENGTH, 4))


def _plain(code: str) -> str:
    return "".join(each for each in code.lower() if each.isalnum())
