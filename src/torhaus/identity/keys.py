"""API keys and tokens: how they are made, recognised, and stored as digests only."""

from hashlib import sha256
from zlib import crc32

KEY, ACCESS, REFRESH, SESSION = "thk_", "tht_", "thr_", "ths_"
"""API keys, access tokens, refresh tokens, and cookies of browser sessions."""
PREFIXES = (KEY, ACCESS, REFRESH, SESSION)
RANDOM_BYTES = 32

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # 62**43 > 2**256
_CHECK = 6  # 62**6 > 2**32


def mint(random: bytes, prefix: str = KEY) -> str:
    """A new key or token from 32 random bytes: prefix, 43 characters, and a checksum of 6.

    Letters and digits only, so that a double click selects it whole. The checksum lets a scanner
    for leaked keys, and us, tell a key from noise without looking it up. Raises ValueError for
    any other number of bytes.
    """
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a key is made of {RANDOM_BYTES} random bytes, not {len(random)}")
    body = _in_base_62(int.from_bytes(random), _BODY)
    return prefix + body + _checksum(body)


def well_formed(key: str, *prefixes: str) -> bool:
    """Whether this can be one of ours, with one of these prefixes; without any, with any of them.

    Keys an administrator chose are not, and still valid.
    """
    start, body, check = key[: len(KEY)], key[len(KEY) : -_CHECK], key[-_CHECK:]
    return (
        start in (prefixes or PREFIXES)
        and len(body) == _BODY
        and key.isascii()
        and key[len(KEY) :].isalnum()
        and check == _checksum(body)
    )


def digest(key: str) -> bytes:
    """The 32 bytes a key is stored and found by: SHA-256 of its UTF-8 text.

    No salt and no slow hash: minted keys carry 256 random bits, so there is nothing to guess
    (NIST SP 800-63B 5.1.2.2 asks for neither from 112 bits on). Raises UnicodeEncodeError for lone
    surrogates, which no header can carry.
    """
    return sha256(key.encode()).digest()


def _checksum(body: str) -> str:
    return _in_base_62(crc32(body.encode()), _CHECK)


def _in_base_62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 62)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits))
