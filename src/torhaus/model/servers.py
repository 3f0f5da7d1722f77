"""The servers behind the gate, as the configuration describes them."""

from collections.abc import Mapping
from enum import StrEnum
from re import Pattern

import msgspec

from torhaus.model.access import Glob
from torhaus.model.auditing import WHOLE, Recorded
from torhaus.model.caching import NO_CACHING, Caching
from torhaus.model.health import USUAL, Upkeep
from torhaus.model.secret import Secret


class Era(StrEnum):
    """The two families of the protocol: sessions (to 2025-11-25) and stateless (2026-07-28)."""

    LEGACY = "legacy"
    MODERN = "modern"


class Sharing(StrEnum):
    """Which front sessions share one stdio process or one HTTP+SSE connection."""

    SHARED = "shared"
    PRINCIPAL = "principal"
    SESSION = "session"


class HttpAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream by URL. `transport`: `auto`, `http` (streamable HTTP) or `sse` (HTTP+SSE)."""

    url: str
    headers: tuple[tuple[str, Secret], ...] = ()
    transport: str = "auto"
    era: str = "auto"
    ca_file: str | None = None


class StdioAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream as a child process. `env` is added to a short allow-list of our own.

    `idle`: seconds without a call after which the process is stopped.
    """

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, Secret], ...] = ()
    cwd: str | None = None
    idle: float = 600.0


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
    `secrets`: of its credential, what it must not repeat to callers.
    """

    name: str
    address: HttpAddress | StdioAddress
    timeout: float = 300.0
    connect_timeout: float = 10.0
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
    health: Upkeep = USUAL
