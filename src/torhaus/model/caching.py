"""What the configuration says about keeping answers, and about forgetting them."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from torhaus.model.names import normal

MAX_RESULT = 1024 * 1024
"""Bytes of a result that are kept where no `max_entry` says otherwise."""


class Scope(StrEnum):
    """Whether callers share what one upstream credential sees, or each has answers of their own."""

    SHARED = "shared"
    USER = "user-specific"


class Vary(StrEnum):
    """What else tells answers apart. Environment and upstream credential always do."""

    USER = "user"
    ROLES = "roles"
    GROUPS = "groups"
    CLIENT = "client"


class CacheRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers of one tool (or of a server's other tools) are kept. Times in seconds.

    `ttl`: fresh for so long. `stale_while_revalidate`: seconds after that in which the old answer
    is given while a new one is fetched; `stale_if_error`: in which it stands in for a failed call.
    `max_entry`: bytes of a result. `only`/`ignore`: names of arguments that alone, or not at all,
    tell calls apart (`only` None: all). `digest`: of what makes answers kept under another rule
    unfit under this one; it is part of their keys.
    """

    ttl: float
    scope: Scope = Scope.SHARED
    vary_on: frozenset[Vary] = frozenset()
    max_entry: int = MAX_RESULT
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    only: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    digest: str = ""


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Which kept answers are meant: those under `tag` that fit `where` and belong to `owner`.

    `tag`: `server` or `server.tool`, the tool's name as callers spell it or normalised.
    `where`: (argument, value) pairs, all of which must fit. `owner`: a principal's id; None for
    everybody's, shared answers among them.
    """

    tag: str
    where: tuple[tuple[str, str], ...] = ()
    owner: str | None = None


class Invalidation(msgspec.Struct, frozen=True, kw_only=True):
    """What a write makes untrue. `where`: argument -> template over the write's arguments.

    `{owner}/{repo}` is filled from them; a template with a missing argument asks for nothing.
    """

    tag: str
    where: tuple[tuple[str, str], ...] = ()


class Caching(msgspec.Struct, frozen=True, kw_only=True):
    """One server's part. `tools`: normalised tool name -> rule; `other`: for the rest.

    `triggers`: normalised name of a tool that writes -> what it makes untrue.
    """

    tools: Mapping[str, CacheRule] = {}
    other: CacheRule | None = None
    triggers: Mapping[str, tuple[Invalidation, ...]] = {}

    def rule(self, tool: str) -> CacheRule | None:
        if not self.tools:
            return self.other
        return self.tools.get(normal(tool), self.other)


NO_CACHING = Caching()
