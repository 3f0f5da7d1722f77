"""Proves to a receiver who sent a body, and when. Pure."""

import hmac
from hashlib import sha256

HEADER = "X-Torhaus-Signature"


def sign(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over time and body, in hex (RFC 2104)."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


def header(secret: str, stamp: str, body: bytes) -> str:
    """`t=<Unix seconds>,v1=<hex>`. Receivers refuse an old `t`."""
    return f"t={stamp},v1={sign(secret, stamp, body)}"
