"""API keys: how they are made, recognised, and stored as digests only."""

from hashlib import sha256


def digest(key: str) -> bytes:
    """The 32 bytes a key is stored and found by: SHA-256 of its UTF-8 text.

    No salt and no slow hash: keys carry 256 random bits, so there is nothing to guess
    (NIST SP 800-63B 5.1.2.2 asks for neither from 112 bits on). Lone surrogates, which no
    header can carry, raise UnicodeEncodeError.
    """
    return sha256(key.encode()).digest()
