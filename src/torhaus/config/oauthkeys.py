"""The keys of `auth: {type: oauth}`, and what of them goes together."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from torhaus.config.access import Names
from torhaus.config.addresses import Url
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line, Token

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "HS256", "HS384", "HS512"]
ClientAuth = Literal[
    "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"
]

SECRETS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


def _asserted(text: str) -> str:
    scheme, colon, what = text.partition(":")
    if scheme not in ("file", "exec") or not colon or not what.strip():
        fix = "write file:PATH, or exec:COMMAND"
        raise FaultError("this does not say where the JWT is", fix)
    return text


Assertion = Annotated[Line, AfterValidator(_asserted)]


class OAuthKeys(Shape):
    """How Torhaus gets tokens for a server."""

    mode: Literal["user", "shared", "client"] | None = None
    """For oauth: whose account acts. `user`: everybody connects once; `shared`: an administrator
    connects one for all; `client`: Torhaus's own (client credentials)."""
    provider: Line | None = None
    """For oauth with mode user: the identity provider under auth whose word gets callers in, so
    that nobody connects an account (enterprise-managed authorization). Needs issuer."""
    accounts: dict[Line, Literal["user", "shared"]] = Field(default_factory=dict)
    """For oauth: who acts for some tools, by pattern: {get_*: shared}. The first that fits wins."""
    client_id: Line | None = None
    """For oauth: Torhaus's id at the authorization server. Without it, Torhaus registers itself."""
    client_secret: Token | None = None
    """For oauth. Best as ${NAME}."""
    client_secret_file: Line | None = None
    """For oauth: a file that holds the client's secret."""
    private_key: SecretStr | None = None
    """For oauth with private_key_jwt: the key, as PEM."""
    private_key_file: Line | None = None
    """For oauth with private_key_jwt: a file that holds the key."""
    key_id: Line | None = None
    """For oauth with private_key_jwt: which of Torhaus's keys there this is (`kid`)."""
    algorithm: Algorithm | None = None
    """For oauth: what signs. Without it, ES256 with private_key_jwt, HS256 with
    client_secret_jwt."""
    assertion: Assertion | None = None
    """For oauth: where the platform keeps a JWT that says who Torhaus is: file:PATH or
    exec:COMMAND. Read anew for every token."""
    client_auth: ClientAuth | None = None
    """For oauth: how Torhaus proves its id. Chosen by what is given and the server offers."""
    assertion_audience: Literal["issuer", "token_endpoint"] | None = None
    """For oauth: whom what Torhaus signs names as its reader. Without it, issuer."""
    grant: Literal["client_credentials", "jwt_bearer"] | None = None
    """For oauth with mode client: what tokens are asked for with. Without it, jwt_bearer where
    there is an assertion, else client_credentials."""
    dpop: bool | None = None
    """For oauth: whether tokens are bound to a key of Torhaus's (DPoP). Without it, where the
    server asks for that."""
    scopes: Names = ()
    """For oauth: what is asked for. Without it, what the server names."""
    audience: Line | None = None
    """For oauth: sent to token endpoints that want one."""
    resource: Line | None = None
    """For oauth: which resource tokens are for. Without it, the URL."""
    issuer: Url | None = None
    """For oauth: the authorization server. Without it, the server's metadata names it."""
    token_endpoint: Url | None = None
    """For oauth with mode client: where tokens come from. Without it, metadata says so."""

    @property
    def federates(self) -> bool:
        """Whether the platform's JWT itself is what tokens are asked for with."""
        machine = self.mode == "client" and self.assertion is not None
        return machine and self.grant != "client_credentials"


def unfit(auth: OAuthKeys) -> FaultError | None:
    """The first mistake."""
    rules = (_mode, _proof, _signing, _grant)
    return next((fault for rule in rules for fault in rule(auth)), None)


def _mode(auth: OAuthKeys) -> Iterator[FaultError]:
    machine = auth.mode == "client"
    if auth.mode is None:
        yield FaultError("type: oauth needs mode", "add mode: user, shared or client")
    if machine and auth.client_id is None and not auth.federates:
        yield FaultError("mode: client needs client_id", "register Torhaus there, and add it")
    if machine and auth.accounts:
        yield FaultError("accounts needs mode user or shared", "remove accounts")
    if auth.provider is not None:
        yield from _vouched(auth)
    if auth.token_endpoint is not None and not machine:
        yield FaultError("token_endpoint is for mode: client", "remove it, or write issuer")


def _vouched(auth: OAuthKeys) -> Iterator[FaultError]:
    if auth.mode != "user" and "user" not in auth.accounts.values():
        yield FaultError("provider is for accounts of callers", "write mode: user, or remove it")
    if auth.issuer is None:
        # Or a server could have people's tokens for another one sent to itself.
        fix = "add issuer: the authorization server's, as its metadata spells it"
        yield FaultError("provider needs issuer", fix)
    if auth.client_id is None:
        yield FaultError("provider needs client_id", "register Torhaus there, and add it")


def _proof(auth: OAuthKeys) -> Iterator[FaultError]:
    proofs: dict[str, object] = {
        "client_secret": auth.client_secret,
        "private_key": auth.private_key,
    }
    if not auth.federates:
        proofs["assertion"] = auth.assertion
    given = [name for name, value in proofs.items() if value is not None]
    if len(given) > 1:
        yield FaultError(f"{' and '.join(given)} exclude each other", "keep one")
    if given and auth.client_id is None:
        yield FaultError("a client's secret, key or assertion needs client_id", "add client_id")
    if auth.client_auth in SECRETS and auth.client_secret is None:
        yield FaultError(f"{auth.client_auth} needs client_secret", "add client_secret")
    if auth.client_auth == "private_key_jwt" and not {"private_key", "assertion"} & set(given):
        yield FaultError("private_key_jwt needs private_key", "add private_key_file")
    if auth.mode == "client" and not given and not auth.federates:
        fix = "add one"
        yield FaultError("mode: client needs client_secret, private_key or assertion", fix)


def _signing(auth: OAuthKeys) -> Iterator[FaultError]:
    shared = auth.client_auth == "client_secret_jwt"
    signs = auth.private_key is not None or shared
    told = {"algorithm": auth.algorithm, "assertion_audience": auth.assertion_audience}
    for name, value in told.items():
        if value is not None and not signs:
            fix = "add private_key_file, or client_auth: client_secret_jwt"
            yield FaultError(f"{name} is for what Torhaus signs itself", fix)
    if auth.algorithm is not None and auth.algorithm.startswith("HS") is not shared:
        message = f"{auth.algorithm} does not go with {'client_secret' if shared else 'a key'}"
        fix = "use HS256, HS384 or HS512" if shared else "use ES256, RS256, PS256 or EdDSA"
        yield FaultError(message, fix)
    if auth.key_id is not None and auth.private_key is None:
        yield FaultError("key_id names a private key", "add private_key_file, or remove key_id")


def _grant(auth: OAuthKeys) -> Iterator[FaultError]:
    if auth.grant is not None and auth.mode != "client":
        yield FaultError("grant is for mode: client", "remove it")
    if auth.grant == "jwt_bearer" and auth.assertion is None:
        fix = "add assertion: file:PATH"
        yield FaultError("jwt_bearer needs the platform's assertion", fix)
