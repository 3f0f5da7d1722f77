"""The words in which tools are classified, in our own tables and in the configuration."""

import msgspec

ACTIONS = frozenset({"read", "write", "delete", "admin", "execute", "resolve"})
KINDS = ("repos", "projects", "channels", "paths")
SCOPES = (
    "none",
    "repo",
    "repo_optional",
    "project",
    "project_optional",
    "project_or_url",
    "project_new",
    "issue_ref",
    "org",
    "query",
    "id",
)
TAGS = frozenset({"sensitive", "personal", "exfiltration", "merge", "cost"})
MISSING = ("unknown", "none", "primary")


class Method(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`arg` decides the action: value -> action. Other values are refused.

    `absent`: the action when the argument is missing; without it a missing one is refused too.
    """

    arg: str
    map: dict[str, str]
    absent: str | None = None


class Dispatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tool runs another one: its name, and its arguments."""

    name_arg: str
    args_arg: str


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`TargetArgs`, as a file writes it. `pattern` is a regular expression."""

    kind: str
    args: tuple[str, ...]
    missing: str = "unknown"
    many: bool = False
    either: tuple[str, ...] = ()
    pattern: str | None = None


class Extra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second repository. `default: primary`: a missing part is that of the first.

    `optional`: without both there is no second repository.
    """

    owner_arg: str
    repo_arg: str
    default: str | None = None
    optional: bool = False


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool. Every action of `action` and `also` is needed, unless a method chooses one.

    `resource`: its type, `*` for any. `scope`: see `SCOPES`; `targets` and `blind` say more than
    a scope can. With none of the three, what it is about is what the row in whose place it stands
    says, or unknown. `project_args`: which of the server's candidates this tool has. `url_arg`: for
    `project_or_url`, the argument that may hold a URL instead.
    """

    action: str = ""
    also: tuple[str, ...] = ()
    resource: str = "*"
    scope: str = ""
    owner_arg: str = "owner"
    repo_arg: str = "repo"
    project_args: tuple[str, ...] = ()
    url_arg: str = "profileUrl"
    extra_targets: tuple[Extra, ...] = ()
    targets: tuple[Target, ...] = ()
    blind: tuple[str, ...] = ()
    method: Method | None = None
    dispatch: Dispatch | None = None
    tags: tuple[str, ...] = ()


class ServerSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of one server's tools, in the shape of `mcpServers.NAME.classification`.

    `resource_parents`: type -> the type it belongs to. `project_args`: arguments that name a
    project. `pinned_args`: argument -> regular expression it must match in full.
    `case_insensitive` changes nothing: names are compared without case everywhere.
    """

    resource_parents: dict[str, str] = {}
    project_args: tuple[str, ...] = ()
    pinned_args: dict[str, str] = {}
    case_insensitive: bool = True
    tools: dict[str, ToolSpec] = {}
