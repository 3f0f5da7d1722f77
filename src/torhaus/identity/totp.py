"""Codes of a second factor (RFC 6238): six digits of SHA-1, a new one every 30 seconds. Pure."""

import hmac
from base64 import b32encode
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
STEP = 30
DIGITS = 6
DRIFT = 1
"""Steps a phone's clock may be off, to either side."""


def step_of(secret: bytes, code: str, now: float, last: int | None) -> int | None:
    """The number of the step whose code this is, or None. Every step is compared.

    `last`: the newest step that was used; it and older ones are over, so that a code that somebody
    has watched being typed opens nothing.
    """
    digits = "".join(code.split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    # SHA-1 is what every app knows; in HMAC it is not broken (RFC 6238 1.2, NIST SP 800-107).
    codes = TOTP(secret, DIGITS, SHA1(), STEP, enforce_key_length=False)  # noqa: S303 -- as above
    current, found = int(now) // STEP, None
    for step in range(current - DRIFT, current + DRIFT + 1):
        same = step >= 0 and hmac.compare_digest(codes.generate(step * STEP), digits.encode())
        if same and (last is None or step > last):
            found = step
    return found


def shown(secret: bytes) -> str:
    """The secret as people type it, in groups of four."""
    text = b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, email: str, issuer: str) -> str:
    """The `otpauth:` URI that apps read from a picture."""
    plain = b32encode(secret).decode().rstrip("=")
    label = f"{quote(issuer, safe='')}:{quote(email, safe='@')}"
    return (
        f"otpauth://totp/{label}?secret={plain}&issuer={quote(issuer, safe='')}"
        f"&algorithm=SHA1&digits={DIGITS}&period={STEP}"
    )
