"""The shapes of `caching` and `cache_invalidation`: which answers are kept, and when forgotten."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from torhaus.config.access import TEXT_OR_TEXTS, Names, Single, listed
from torhaus.config.amounts import Octets, Seconds, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line

Ttl = Annotated[Seconds, between(0, 31536000, "at most 1y; 0 turns the cache off")]
Extra = Annotated[Seconds, between(0, 31536000, "at most 1y")]


def _only(value: object) -> object:
    """A list alone means these arguments and no others."""
    return {"only": listed(value)} if isinstance(value, list | str) else value


class KeyArgs(Shape):
    """Which arguments tell calls apart."""

    only: Names | None = None
    """Only these."""
    ignore: Names = ()
    """All but these."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.only is not None and self.ignore:
            raise FaultError("only and ignore exclude each other", "keep one of them")
        return self


class Keeping(Shape):
    """How answers are kept."""

    ttl: Ttl | None = None
    """How long an answer is fresh, in seconds or as 5m, 1h; 0 keeps nothing."""
    type: Literal["shared", "user-specific"] = "shared"
    """shared: users of one server credential share answers; user-specific: each has their own."""
    vary_on: Annotated[
        tuple[Literal["user", "roles", "groups", "client"], ...],
        BeforeValidator(listed),
        WithJsonSchema(TEXT_OR_TEXTS),
    ] = ()
    """What else tells answers apart: user, roles, groups, client."""
    max_entry: Annotated[Octets, between(1, 1 << 30, "between 1 byte and 1GiB")] = 1024 * 1024
    """The largest result that is kept, in bytes or as 512KiB."""
    stale_while_revalidate: Extra = 0.0
    """After ttl: how much longer the old answer is given while a new one is fetched."""
    stale_if_error: Extra = 0.0
    """After ttl: how much longer the old answer stands in for a server that fails."""
    key_args: Annotated[KeyArgs, BeforeValidator(_only)] = KeyArgs()
    """Which arguments tell calls apart: {ignore: [page_token]}, or a list of the only ones."""


class ToolKeeping(Keeping):
    """How answers of one tool are kept."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.ttl is None:
            raise FaultError("ttl is missing", "add `ttl: 5m`, or `ttl: 0` to keep nothing")
        return self


class ServerKeeping(Keeping):
    """A server's tools by name, each with its own rule; or, under `SERVER.TOOL`, one rule.

    `ttl` beside the tools is for those that are not named.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ToolKeeping]


class CachingSpec(Shape):
    """Which answers are kept, by server and tool. Only answers of tools that read are ever kept."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ServerKeeping]

    max_size: Annotated[Octets, between(1 << 16, 1 << 40, "between 64KiB and 1TiB")] = 256 << 20
    """How much of this process's memory kept answers may take. Needs a restart."""

    @classmethod
    def nothing(cls) -> Self:
        return cls.model_validate({})

    def each(self) -> "dict[str, ServerKeeping]":
        return self.__pydantic_extra__


def _tool(value: object) -> object:
    return {"tool": value} if isinstance(value, str) else value


class Forget(Shape):
    """What is forgotten: a tool's answers, those of a whole server, or some of them."""

    tool: Line
    """SERVER.TOOL, or SERVER for everything of it."""
    where: dict[Line, Line] = Field(default_factory=dict)
    """Only answers whose argument has this value: {repo: "{owner}/{repo}"}, from the trigger's."""


def _items(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


Forgets: Any = Annotated[
    tuple[Annotated[Forget, BeforeValidator(_tool)], ...],
    BeforeValidator(_items),
    Field(min_length=1),
    Single(),
]


class InvalidationSpec(Shape):
    """A call that writes, and which kept answers it makes untrue."""

    trigger: Annotated[Names, Field(min_length=1)]
    """SERVER.TOOL, or a list."""
    invalidate: Forgets
    """What is forgotten once it was called, however it ended."""
