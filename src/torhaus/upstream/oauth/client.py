"""How Torhaus proves to an authorization server which client it is. Pure but for the signature."""

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Assertion, OAuthAccess

NONE, BASIC, POST = "none", "client_secret_basic", "client_secret_post"
JWT, SECRET_JWT = "private_key_jwt", "client_secret_jwt"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = 60


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """`method`: none, client_secret_basic, _post or _jwt, or private_key_jwt.

    `key`: PEM, known as `key_id`; `algorithm`: what signs, the usual one where it is empty.
    `reader`: `issuer` or `token_endpoint`. `assertion`: the platform's, in a signature's place.
    """

    id: str
    method: str = NONE
    secret: str = ""
    key: str = ""
    key_id: str = ""
    algorithm: str = ""
    reader: str = "issuer"
    assertion: Assertion | None = None

    def __repr__(self) -> str:
        return f"Client({self.id!r}, {self.method!r}, •••)"

    @property
    def lends(self) -> Assertion | None:
        """What proves it in the place of a signature of our own; None where nothing does."""
        return self.assertion if self.method == JWT and not self.key else None

    def proof(
        self, issuer: str, url: str, now: float, ids: Callable[[], str], lent: str = ""
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Header fields and form fields that prove it at the token endpoint `url`.

        `lent`: the text of what it `lends`. Raises UpstreamError.
        """
        match self.method:
            case "client_secret_basic":
                # RFC 6749 section 2.3.1: both are form-encoded before.
                pair = f"{quote(self.id, safe='')}:{quote(self.secret, safe='')}"
                basic = f"Basic {b64encode(pair.encode()).decode()}"
                # Section 3.2.1 allows it, and authorization servers of the Python SDK want it.
                return {"Authorization": basic}, {"client_id": self.id}
            case "client_secret_post":
                return {}, {"client_id": self.id, "client_secret": self.secret}
            case "private_key_jwt" | "client_secret_jwt":
                form = {"client_id": self.id, "client_assertion_type": ASSERTION}
                audience = url if self.reader == "token_endpoint" else issuer
                form["client_assertion"] = lent or self._signed(audience, now, ids())
                return {}, form
            case _:
                return {}, {"client_id": self.id}

    def _signed(self, audience: str, now: float, id: str) -> str:
        """RFC 7523 section 3, with its `aud` as RFC 7523bis wants it where nothing else is said."""
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": audience,
            "jti": id,
            "iat": int(now),
            "exp": int(now) + LIFETIME,
        }
        shared = self.method == SECRET_JWT
        algorithm = self.algorithm or ("HS256" if shared else "ES256")
        header = {"alg": algorithm, **({"kid": self.key_id} if self.key_id else {})}
        try:
            key = OctKey.import_key(self.secret) if shared else _key(self.key, algorithm)
            return jwt.encode(header, claims, key, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError):
            # What was read could be in the cause.
            what, fix = ("client_secret", "") if shared else ("private_key", ": give it as PEM")
            raise UpstreamError(f"{what} is no key for {algorithm}{fix}") from None


def _key(pem: str, algorithm: str) -> ECKey | OKPKey | RSAKey:
    if algorithm.startswith("ES"):
        return ECKey.import_key(pem)
    return OKPKey.import_key(pem) if algorithm == "EdDSA" else RSAKey.import_key(pem)


def configured(oauth: OAuthAccess, offered: tuple[str, ...] = ()) -> Client | None:
    """The client of the file; None where Torhaus registers itself."""
    if not oauth.client_id:
        return None
    secret, key = oauth.client_secret is not None, oauth.private_key is not None
    signs = key or (oauth.assertion is not None and not oauth.federated)
    method = oauth.method or usual(offered, secret=secret, key=signs)
    return renewed(oauth, oauth.client_id, method)


def renewed(oauth: OAuthAccess, id: str, method: str, secret: str = "") -> Client:
    """A client by its id: what the file says of it now, else what is known of it."""
    if id != oauth.client_id:
        return Client(id=id, method=method, secret=secret)
    return Client(
        id=id,
        method=method,
        secret="" if oauth.client_secret is None else oauth.client_secret.reveal(),
        key="" if oauth.private_key is None else oauth.private_key.reveal(),
        key_id=oauth.key_id,
        algorithm=oauth.algorithm,
        reader=oauth.reader,
        assertion=None if oauth.federated else oauth.assertion,
    )


def usual(offered: tuple[str, ...], *, secret: bool, key: bool = False) -> str:
    """The way to prove it that fits what there is and what is offered."""
    if key:
        return JWT
    if not secret:
        return NONE
    return next((each for each in (BASIC, POST, SECRET_JWT) if each in offered), BASIC)
