"""How a client proves itself at /token and /revoke (RFC 6749 section 2.3)."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import unquote_plus

import msgspec

from torhaus.model.oauth import Client


class Presented(msgspec.Struct, frozen=True):
    """Who says what about himself. `secret`: None where none was sent. `basic`: in a header."""

    client_id: str
    secret: str | None
    basic: bool = False


class ClientError(Exception):
    """`invalid_client`, or `invalid_request` where two ways are used at once."""

    def __init__(self, code: str, text: str, *, basic: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.basic = basic


def presented(authorization: str | None, form: Mapping[str, str]) -> Presented:
    """Raises ClientError."""
    id, secret = form.get("client_id"), form.get("client_secret")
    if authorization is None:
        if not id:
            raise ClientError("invalid_client", "client_id is missing")
        return Presented(id, secret or None)
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientError("invalid_client", "clients prove themselves with Basic, or in the form")
    if secret is not None:
        raise ClientError("invalid_request", "the client proves itself in two ways", basic=True)
    try:
        name, colon, word = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ClientError("invalid_client", "this is not Basic", basic=True) from error
    told = Presented(unquote_plus(name), unquote_plus(word) or None, basic=True)
    if not colon or (id is not None and id != told.client_id):
        raise ClientError("invalid_client", "two different client_ids", basic=True)
    return told


def check(client: Client | None, told: Presented) -> Client:
    """The client, once it has proved itself. Raises ClientError, the same for every reason."""
    failed = ClientError(
        "invalid_client",
        "this client is not known here, or its secret is wrong: register again",
        basic=told.basic,
    )
    if client is None:
        raise failed
    if client.secret is None:
        if told.secret is not None:
            raise failed
        return client
    used = "client_secret_basic" if told.basic else "client_secret_post"
    if client.method and client.method != used:
        raise failed
    sent = sha256((told.secret or "").encode()).digest()
    if told.secret is None or not hmac.compare_digest(sent, client.secret):
        raise failed
    return client
