"""The shapes of roles, groups and servers' blocks: who may do what, to which things."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from torhaus.config.addresses import Email, Networks
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line

# The things a rule can be bound to, as they are spelled in the file and in `Bound.kind`.
KINDS = ("repos", "projects", "channels", "paths")
# Alone they are everything, also of kinds whose names have several parts.
ALL = frozenset({"*", "**"})


class Short:
    """Marks a block that may also be written short, for editors: `shape` is the short form's."""

    def __init__(self, shape: Mapping[str, Any]) -> None:
        self._shape = shape

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [dict(self._shape), handler(schema)]}


class Single:
    """Marks a list for which one of its items may stand, for editors."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


TEXTS = {"type": "array", "items": {"type": "string"}}
TEXT_OR_TEXTS = {"anyOf": [{"type": "string"}, TEXTS]}


def listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


def short(key: str) -> Callable[[object], object]:
    """A list, or one text, stands for the block that has it under `key`."""

    def whole(value: object) -> object:
        return {key: listed(value)} if isinstance(value, list | str) else value

    return whole


def _name(value: str) -> str:
    if re.fullmatch(r"[^\W_][\w .@/-]{0,127}", value) is None:
        raise FaultError("this is not a role's name", "use letters, digits, - and _")
    return value


def _group(value: str) -> str:
    if re.fullmatch(r"[^\W_][\w ./-]{0,127}", value) is None:
        raise FaultError("this is not a group's name", "use letters, digits, - and _")
    return value


def _whom(value: str) -> str:
    """An address, in any case, or a role or group."""
    return value if "@" in value else _name(value)


def _restriction(value: object) -> object:
    """A word, or one word with a list: (word, names)."""
    if isinstance(value, str):
        return (value, None)
    if not isinstance(value, dict) or len(value) != 1:
        raise FaultError("this is not a restriction", 'write no_delete, or only_repos: ["myorg/*"]')
    ((word, names),) = value.items()
    names = listed(names)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FaultError(f"{word[:80]} needs a list", f'write {word[:80]}: ["myorg/*"]')
    return (word, names)


RoleName = Annotated[str, AfterValidator(_name)]
GroupName = Annotated[str, AfterValidator(_group)]
Whom = Annotated[str, AfterValidator(_whom)]
Names = Annotated[tuple[Line, ...], BeforeValidator(listed), WithJsonSchema(TEXT_OR_TEXTS)]
Restriction = Annotated[
    tuple[str, tuple[str, ...] | None],
    BeforeValidator(_restriction),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^no_|\$\{"},
                {
                    "type": "object",
                    "propertyNames": {"pattern": "^only_"},
                    "additionalProperties": TEXT_OR_TEXTS,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ]
        }
    ),
]


class Scope(Shape):
    """Which things a rule lets calls touch. Every thing a call names must fit."""

    allow: Names | None = None
    """Names, or globs: `*` and `?` within one part of a name, as in myorg/*. "*" alone is all."""
    deny: Names = ()
    """Names or globs that are out of bounds even where `allow` has them."""


ScopeOrList = Annotated[Scope, BeforeValidator(short("allow")), Short(TEXT_OR_TEXTS)]


class Bounded(Shape):
    """What rules about things have in common."""

    repos: ScopeOrList | None = None
    """Repositories, such as myorg/*: a list, or allow and deny."""
    projects: ScopeOrList | None = None
    """Projects: a list, or allow and deny."""
    channels: ScopeOrList | None = None
    """Channels: a list, or allow and deny."""
    paths: ScopeOrList | None = None
    """Paths of files: a list, or allow and deny."""
    when: str | None = None
    """A CEL expression: the rule stands for calls that it holds for."""


class Block(Bounded):
    """What one user, role or group may do on one server. Adds to what roles allow."""

    allow: tuple[Line, ...] = ()
    """`action:type`, such as read:repos; `*` stands for any action or type."""
    deny: tuple[Line, ...] = ()
    """The same, refused whatever else allows it."""
    exclusive: bool = False
    """Only blocks like this one allow anything on this server, roles do not."""
    networks: Networks | None = None
    """Calls come from these networks only."""
    clients: Names | None = None
    """Calls come from clients of these names only (clientInfo.name)."""

    @model_validator(mode="after")
    def _unconditional(self) -> Self:
        always = {"exclusive", "networks", "clients"} & self.model_fields_set
        if self.when is not None and always:
            words = " and ".join(sorted(always))
            raise FaultError(f"{words} cannot depend on when", "use a policy with when instead")
        return self


Blocks = dict[Whom, Block]


class AccessRule(Bounded):
    """What one role may do."""

    role: RoleName
    """The role's name; new or from roles."""
    allow: tuple[Line, ...] = ()
    """Permissions: server.action, server:type:action, server.*, *."""
    deny: tuple[Line, ...] = ()
    """The same, refused whatever else allows it."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"role", "when"}:
            raise FaultError("the rule allows and denies nothing", "add allow: [github.read]")
        return self


class Role(Shape):
    """A named set of permissions."""

    description: Line | None = None
    """For people."""
    permissions: tuple[Line, ...] = ()
    """Permissions: server:action, server:type:action, server:*, *."""
    restrictions: tuple[Restriction, ...] = ()
    """no_delete, no_admin_repos, no_sensitive_data, only_repos: [...] and the like."""
    later: ClassVar[Mapping[str, str]] = {
        "allow": "permissions under this name",
        "deny": "deny rules in roles; accessControl has them",
        "when": "conditions in roles; accessControl has them",
    }


ADMINISTRATOR = "administrator"
BUILT_IN = Role(description="Everything, everywhere.", permissions=("*",))
"""What a gateway needs before its file says anything of roles: somebody who can administer."""


class Group(Shape):
    """People who are named together."""

    description: Line | None = None
    """For people."""
    members: tuple[Email, ...] = ()
    """E-mail addresses of users."""
    roles: tuple[RoleName, ...] = ()
    """Roles that every member has besides his own."""
    servers: Names = ()
    """The only servers where these roles count; everywhere without it."""


GroupOrList = Annotated[Group, BeforeValidator(short("members")), Short(TEXTS)]

Fate = Literal["accept", "warn", "quarantine"]


class Drift(Shape):
    """What happens to tools that are not as pinned."""

    new: Fate = "warn"
    """Of tools the server did not have before."""
    changed: Fate = "quarantine"
    """Of tools whose description, arguments or annotations are different."""
    unlisted: Literal["auto", "refuse", "pass"] = "auto"
    """Of names in no list: `auto` lets the server judge them for callers to whom everything on it
    is open without exception, `pass` for all whom the rules allow the call, `refuse` for nobody."""


def _drift(value: object) -> object:
    return {"new": value, "changed": value} if isinstance(value, str) else value


DriftOrWord = Annotated[
    Drift,
    BeforeValidator(_drift),
    Short({"enum": ["accept", "warn", "quarantine"]}),
]
"""`drift: warn`, or a block."""

GroupList = Annotated[tuple[GroupName, ...], Field(min_length=1)]
