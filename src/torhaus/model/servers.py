"""The servers behind the gate, as the configuration describes them."""

from collections.abc import Mapping
from enum import StrEnum
from re import Pattern
from typing import Protocol

import msgspec

from torhaus.model.access import Glob
from torhaus.model.auditing import WHOLE, Recorded
from torhaus.model.caching import NO_CACHING, Caching
from torhaus.model.health import USUAL, Upkeep
from torhaus.model.secret import Secret
from torhaus.model.stops import Stop

ELICITATION, ROOTS, SAMPLING = "elicitation", "roots", "sampling"
ASKABLE = (ELICITATION, ROOTS, SAMPLING)
"""What servers may want to know of a client in the middle of a call, by the capability for it."""
ASKABLE_AMONG = (ELICITATION, ROOTS)
"""The same where it is one of many: nobody chose it, so it does not spend people's models."""


class Era(StrEnum):
    """The two families of the protocol: sessions (to 2025-11-25) and stateless (2026-07-28)."""

    LEGACY = "legacy"
    MODERN = "modern"


class Sharing(StrEnum):
    """Which front sessions share one stdio process or one HTTP+SSE connection."""

    SHARED = "shared"
    PRINCIPAL = "principal"
    SESSION = "session"


class Acting(StrEnum):
    """Whose account at a server a call uses: the caller's own, a shared one, or Torhaus's."""

    USER = "user"
    SHARED = "shared"
    CLIENT = "client"


class Assertion(msgspec.Struct, frozen=True):
    """A JWT of the platform, read anew whenever one is needed.

    `scheme`: `file` or `exec`; `what`: a path, or a command; `base`: where both are looked at from.
    """

    scheme: str
    what: str
    base: str


class OAuthAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens for a server are got. Empty texts: the server's own metadata says it.

    `mode`: whose account acts; `tools`: (glob over normalised names, who) for some tools, the first
    one wins. `client_id`: how Torhaus is known there, registered by itself where it is empty.
    `method`: how it proves that at the token endpoint. `private_key`: PEM, known there as `key_id`.
    `algorithm`: what Torhaus signs with, for `reader`: `issuer` or `token_endpoint`. `assertion`:
    proves who it is in the place of a signature of its own; with `federated` tokens are asked for
    with it (RFC 7523 section 2.1). `scopes`: asked for; without any, those the server names.
    `bound`: whether tokens are bound to a key (DPoP); None: where the server asks for that.
    `provider`: the identity provider whose word gets callers in, so that none connects an account.
    """

    mode: Acting
    client_id: str = ""
    client_secret: Secret | None = None
    private_key: Secret | None = None
    key_id: str = ""
    algorithm: str = ""
    reader: str = "issuer"
    assertion: Assertion | None = None
    federated: bool = False
    method: str = ""
    scopes: tuple[str, ...] = ()
    audience: str = ""
    resource: str = ""
    issuer: str = ""
    token_endpoint: str = ""
    bound: bool | None = None
    provider: str = ""
    tools: tuple[tuple[Glob, Acting], ...] = ()

    @property
    def personal(self) -> bool:
        """Whether some calls use accounts of their callers."""
        return self.mode is Acting.USER or any(who is Acting.USER for _, who in self.tools)

    def acting(self, tool: str) -> Acting:
        """`tool`: normalised; empty for what is no call of a tool."""
        for glob, who in self.tools:
            if tool and glob.pattern.fullmatch(tool) is not None:
                return who
        return self.mode


class Prover(Protocol):
    """Shows a server with each request that the token is its sender's (DPoP, RFC 9449)."""

    def line(self, method: str, url: str) -> bytes:
        """A header line for one request, and for one time of sending it."""
        ...

    def wanted(self, status: int, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the server wants the request again, with the nonce that it gives. Remembers it.

        `headers`: names in lower case.
        """
        ...


class HttpAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream by URL. `transport`: `auto`, `http` (streamable HTTP) or `sse` (HTTP+SSE).

    `stored`: it is shown the credential that the vault keeps for it; `oauth`: a token. `prover`:
    proves with each request whose the credential is; None for what whoever has it may use.
    """

    url: str
    headers: tuple[tuple[str, Secret], ...] = ()
    transport: str = "auto"
    era: str = "auto"
    ca_file: str | None = None
    stored: bool = False
    oauth: OAuthAccess | None = None
    prover: Prover | None = None


class StdioAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream as a child process. `env` is added to a short allow-list of our own.

    `idle`: seconds without a call after which the process is stopped. `era`: `auto`, `legacy` or
    `modern`.
    """

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, Secret], ...] = ()
    cwd: str | None = None
    idle: float = 600.0
    era: str = "auto"


class Window(msgspec.Struct, frozen=True):
    """At most `requests` calls in any rolling `seconds`."""

    requests: int
    seconds: float


class TargetArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call names one thing it is about: `args` joined by `/` (owner, repo -> myorg/api).

    `kind`: `repos`, `projects`, `channels`, `paths`. The last of several `args` may hold the whole
    name alone (`repo: myorg/api`). `many`: it may be a list of names, of which each is a target.
    `missing`: what absent arguments mean: `unknown`, `none`, or `primary` (the first target's part
    stands in for a missing one).
    `either`: further arguments that may name the thing alone, as the last of `args` may. Every one
    that is present names a target, all must be within the bounds; `missing` holds when all are
    absent.
    `pattern`: what each whole name must match in full, as the caller wrote it; group 1 is the
    target's name (`ABC-123` -> `ABC`). A name that does not match, or has no group 1, is unknown:
    so are numbers where a name is needed, and with `(?!)` whatever is there.
    """

    kind: str
    args: tuple[str, ...]
    missing: str = "unknown"
    many: bool = False
    either: tuple[str, ...] = ()
    pattern: Pattern[str] | None = None


class ToolClass(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool does, before its arguments are known.

    `source`: where that came from: `config`, `table`, `name` or `unknown`.
    `method_arg`/`method_actions`: the argument that decides the action, and value -> action;
    `method_absent` is the action when the argument is missing (None: a missing one is refused).
    `dispatch`: (name argument, arguments argument) of a tool that runs another tool.
    `pinned`: (argument, regular expression it must match in full), for arguments that choose
    where the upstream's credential is sent.
    `targets`: the things a call is about; `blind`: kinds of things it is about that no argument
    names reliably (opaque ids, free text). A kind in neither is not involved.
    """

    actions: frozenset[str]
    type: str
    scope: str = "none"
    tags: frozenset[str] = frozenset()
    source: str = "table"
    method_arg: str | None = None
    method_actions: Mapping[str, str] = {}
    method_absent: str | None = None
    dispatch: tuple[str, str] | None = None
    pinned: tuple[tuple[str, str], ...] = ()
    targets: tuple[TargetArgs, ...] = ()
    blind: frozenset[str] = frozenset()


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream. Times in seconds.

    `credential`: a digest over the address and the credential sent there; every cache key holds it.
    `classes`: normalised tool name -> class, from the shipped table and the configuration.
    `selectors`: globs over normalised names, for tools that `classes` has not; the first one wins.
    `parents`: resource type -> the type it belongs to (`labels` -> `issues`).
    `drift_new`, `drift_changed`: what happens to tools the server has anew or otherwise than
    pinned: `accept`, `warn` or `quarantine`. `drift_unlisted`: `refuse` names it does not list,
    `pass` them, or `auto`: pass them for callers to whom everything on the server is open.
    `hide_denied`: a refused tool is an unknown one. `recorded`: what audit records hold.
    `secrets`: of its credential, what it must not repeat to callers. `parked_expiry`: seconds for
    which its question waits for a stateless client; `parked_limit`: calls of one person that do.
    `stops`: of it and its tools. `asks`: what of ASKABLE it may ask; `asks_among`: where it is one
    of many.
    """

    name: str
    address: HttpAddress | StdioAddress
    timeout: float = 300.0
    connect_timeout: float = 10.0
    parked_expiry: float = 600.0
    parked_limit: int = 50
    asks: tuple[str, ...] = ASKABLE
    asks_among: tuple[str, ...] = ASKABLE_AMONG
    sharing: Sharing = Sharing.PRINCIPAL
    environment: str | None = None
    credential: str = ""
    rate_limit: Window | None = None
    rate_counts_hits: bool = False
    classes: Mapping[str, ToolClass] = {}
    selectors: tuple[tuple[Glob, ToolClass], ...] = ()
    parents: Mapping[str, str] = {}
    caching: Caching = NO_CACHING
    drift_new: str = "warn"
    drift_changed: str = "quarantine"
    drift_unlisted: str = "auto"
    hide_denied: bool = False
    recorded: Recorded = WHOLE
    secrets: tuple[Secret, ...] = ()
    stops: tuple[Stop, ...] = ()
    health: Upkeep = USUAL

    @property
    def personal(self) -> bool:
        """Whether callers may have accounts of their own there, so that they see other things."""
        address = self.address
        if not isinstance(address, HttpAddress) or address.oauth is None:
            return False
        return address.oauth.personal

    @property
    def vouched(self) -> str:
        """The identity provider whose word gets callers in; empty where none does."""
        address = self.address
        if not isinstance(address, HttpAddress) or address.oauth is None:
            return ""
        return address.oauth.provider
