"""The shape of `auth.server`: the authorization server that AI clients sign in at."""

import re
from collections.abc import Container, Sequence
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator, Field

from torhaus.config.amounts import Seconds, Whole, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line, Token
from torhaus.config.tree import Path, Source
from torhaus.identity.oauth.redirects import fault
from torhaus.model.oauth import AuthorizationServer, Client

DAY = 86400.0
BUSY = 300.0
"""Claude Code refreshes before every request where an access token lasts no longer."""
SHORT = 32
_UNSAFE = ("javascript", "data", "file", "vbscript", "blob", "about", "http")
_PROGRAM = re.compile(r"([a-z][a-z0-9+.-]{1,40}):/[A-Za-z0-9\-._~/]{1,400}")


def _client_id(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", value) is None:
        raise FaultError("this is not a client's id", "use letters, digits and . _ ~ -")
    if value.startswith("dcr_"):
        raise FaultError("ids with dcr_ are of clients that register", "choose another id")
    return value


def _redirect_uri(value: str) -> str:
    why = fault(value)
    program = _PROGRAM.fullmatch(value)
    if why is None or (program is not None and program[1] not in (*_UNSAFE, "https")):
        return value
    raise FaultError(f"this cannot be gone back to: {why}", "write http://localhost/callback")


def _program(value: str) -> str:
    found = _PROGRAM.fullmatch(value)
    if found is None or found[1] in (*_UNSAFE, "https"):
        raise FaultError("this is not a program's address", "write it in full: myapp://callback")
    return value


RedirectUri = Annotated[str, AfterValidator(_redirect_uri)]


class ClientSpec(Shape):
    """A client that need not register. It names itself by its id."""

    id: Annotated[str, AfterValidator(_client_id)]
    """What it is called with, as in claude mcp add --client-id ID."""
    name: Line | None = None
    """What people see when they let it in."""
    redirect_uris: Annotated[tuple[RedirectUri, ...], Field(min_length=1)] = (
        "http://localhost/callback",
        "http://127.0.0.1/callback",
    )
    """Where it may be answered. On localhost any port does."""
    callback_port: Annotated[Whole, between(1, 65535, "a port from 1 to 65535")] | None = None
    """The one port it may use on localhost, as in claude mcp add --callback-port PORT."""
    secret: Token | None = None
    """Its secret; without one it is a public client. Best as ${NAME}."""
    secret_file: Line | None = None
    """A file that holds the secret."""


class RefreshSpec(Shape):
    """How long a client stays signed in."""

    idle: Annotated[Seconds, between(3600, 366 * DAY, "between 1h and 1y")] = 30 * DAY
    """Without being used."""
    longest: Annotated[Seconds, between(3600, 2 * 366 * DAY, "between 1h and 2y")] = 90 * DAY
    """In any case, counted from the consent."""


class DocumentsSpec(Shape):
    """Clients whose id is the URL of a document about them (CIMD)."""

    enabled: bool = True
    """Clients may name themselves so. Documents of well-known clients are part of Torhaus."""
    fetch: bool = False
    """Fetches documents of other clients, from public addresses only."""


class RegistrationSpec(Shape):
    """Clients that register themselves (DCR)."""

    enabled: bool = True
    """Any program may register. That gives it a name and nothing else."""
    rate: Annotated[Whole, between(1, 10_000, "between 1 and 10000")] = 300
    """Registrations an hour from one address."""
    redirect_uris: tuple[Annotated[str, AfterValidator(_program)], ...] = ()
    """Addresses of programs, such as myapp://callback, that clients may name besides Cursor's."""


class AuthServerSpec(Shape):
    """Torhaus as the authorization server that AI clients sign in at."""

    enabled: bool = True
    """Off: clients need a key, and are told nothing of a way to sign in."""
    require_resource: bool = True
    """Clients must say which server they sign in for; off: those that do not get all."""
    access_token: Annotated[Seconds, between(60, DAY, "between 1m and 1d")] = 900.0
    """How long an access token lasts."""
    refresh_token: RefreshSpec = RefreshSpec()
    """How long a client stays signed in."""
    cimd: DocumentsSpec = DocumentsSpec()
    """Clients whose id is the URL of a document about them."""
    dcr: RegistrationSpec = RegistrationSpec()
    """Clients that register themselves."""
    clients: tuple[ClientSpec, ...] = ()
    """Clients that need not register."""
    id_jag: tuple[Line, ...] = ()
    """Names of OpenID providers that may let clients with a secret in (ID-JAG)."""


def authorization_server(
    source: Source, spec: AuthServerSpec, openid: Container[str]
) -> AuthorizationServer:
    """As the house works with it. Mistakes and doubts go to `source`.

    `openid`: names of the OpenID providers there are.
    """
    here: Path = ("auth", "server")
    if spec.access_token <= BUSY:
        message = "Claude Code refreshes before every call where tokens last no more than 5 minutes"
        source.warn((*here, "access_token"), message, "write 15m")
    if spec.refresh_token.idle > spec.refresh_token.longest:
        message = "a client cannot be idle for longer than it may stay signed in"
        source.error((*here, "refresh_token", "idle"), message, "write less than longest")
    for index, name in enumerate(spec.id_jag):
        if name not in openid:
            message = "there is no OpenID provider of this name"
            source.error((*here, "id_jag", index), message, "name one of auth.providers, or oauth")
    return AuthorizationServer(
        enabled=spec.enabled,
        access=spec.access_token,
        idle=spec.refresh_token.idle,
        longest=spec.refresh_token.longest,
        require_resource=spec.require_resource,
        documents=spec.cimd.enabled,
        fetch=spec.cimd.fetch,
        registration=spec.dcr.enabled,
        rate=int(spec.dcr.rate),
        programs=frozenset(spec.dcr.redirect_uris),
        clients=tuple(_clients(source, (*here, "clients"), spec.clients)),
        assertions=spec.id_jag,
    )


def _clients(source: Source, here: Path, specs: Sequence[ClientSpec]) -> list[Client]:
    found: dict[str, Client] = {}
    for index, spec in enumerate(specs):
        path: Path = (*here, index)
        if spec.id in found:
            source.error((*path, "id"), "this client stands in the list already", "remove one")
        secret = None if spec.secret is None else spec.secret.get_secret_value()
        if secret is not None and len(secret) < SHORT:
            message = f"the secret is shorter than {SHORT} characters and can be guessed"
            source.warn((*path, "secret"), message, "use a random one: openssl rand -hex 32")
        found[spec.id] = Client(
            id=spec.id,
            kind="file",
            name=spec.name or spec.id,
            redirect_uris=spec.redirect_uris,
            method="none" if secret is None else "",
            secret=None if secret is None else sha256(secret.encode()).digest(),
            ports=() if spec.callback_port is None else (int(spec.callback_port),),
        )
    return [*found.values()]
