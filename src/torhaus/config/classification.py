"""The shapes of `data_classes` and of a server's `classification`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from torhaus.config.access import Names
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line


def _argument(value: str) -> str:
    if re.fullmatch(r"[^\x00-\x1f\x7f]{1,128}", value) is None:
        raise FaultError("this is not an argument's name", "use at most 128 characters")
    return value


def _tool(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.*?/-]{1,128}", value) is None:
        raise FaultError("this is not a tool's name", "use letters, digits and _; * and ? stand in")
    return value


Argument = Annotated[str, AfterValidator(_argument)]
ToolName = Annotated[str, AfterValidator(_tool)]


class DataClass(Shape):
    """What belongs to one class of data."""

    repos: Names = ()
    """Repositories, or globs such as myorg/secret-*."""
    projects: Names = ()
    """Projects, or globs."""
    channels: Names = ()
    """Channels, or globs."""
    paths: Names = ()
    """Paths of files, or globs."""
    tools: Names = ()
    """Tools, or globs such as *_secret_*; github.get_job_logs is one server's."""


class DataClasses(Shape):
    """What is sensitive, besides the tools that the shipped tables know as such."""

    sensitive: DataClass = DataClass()
    """Out of reach under no_sensitive_data."""
    personal: DataClass = DataClass()
    """About people; out of reach under no_sensitive_data."""
    admin: DataClass = DataClass()
    """What administers others, such as repositories of infrastructure; see no_admin_repos."""
    patterns: dict[str, Line] = Field(default_factory=dict)
    """Regular expressions of what redaction masks besides its own detectors, by name."""


class MethodSpec(Shape):
    """An argument that decides what a tool does."""

    arg: Argument
    """Its name."""
    map: dict[Line, Line]
    """Its value -> the action. Calls with other values are refused."""
    absent: Line | None = None
    """The action of calls without it; without this key they are refused."""


class DispatchSpec(Shape):
    """A tool that runs another tool is judged by that other tool."""

    name_arg: Argument
    """The argument that names the other tool."""
    args_arg: Argument
    """The argument that holds the other tool's arguments."""


class ExtraSpec(Shape):
    """A second repository that a call concerns."""

    owner_arg: Argument
    """The argument that names its owner."""
    repo_arg: Argument
    """The argument that names it."""
    default: Literal["primary"] | None = None
    """primary: a part that is missing is the first repository's."""
    optional: bool = False
    """Without both arguments there is no second repository."""


class ThingSpec(Shape):
    """Where a call names one thing that it concerns."""

    kind: Literal["repos", "projects", "channels", "paths"]
    """What kind of thing."""
    args: Annotated[tuple[Argument, ...], Field(min_length=1)]
    """Its arguments, joined by a slash: [owner, repo] -> myorg/api."""
    missing: Literal["unknown", "none", "primary"] = "unknown"
    """What it means when they are absent."""
    many: bool = False
    """The argument may be a list of names."""
    either: tuple[Argument, ...] = ()
    """Other arguments that may name it instead."""
    pattern: Line | None = None
    """A regular expression that the name must match in full."""


class ToolRow(Shape):
    """What one tool does."""

    action: Line = ""
    """read, write, delete, admin, execute or resolve."""
    also: Names = ()
    """Further actions; a call needs all of them."""
    resource: Line = "*"
    """The type of thing, such as issues; new words are new types."""
    scope: Line = ""
    """repo, repo_optional, project, project_optional, org, query, id, issue_ref or none; without
    it, what the shipped row says, or unknown: then bounds refuse it."""
    owner_arg: Argument = "owner"
    """For scope repo: the argument that names the owner."""
    repo_arg: Argument = "repo"
    """For scope repo: the argument that names the repository."""
    project_args: tuple[Argument, ...] = ()
    """For scope project: the arguments that name the project."""
    url_arg: Argument = "profileUrl"
    """For scope project_or_url: the argument that may hold a URL instead."""
    extra_targets: tuple[ExtraSpec, ...] = ()
    """Further repositories that a call concerns."""
    targets: tuple[ThingSpec, ...] = ()
    """Things that a call names, where scope says too little."""
    blind: Names = ()
    """Kinds of things that a call concerns without naming them: repos, projects, ..."""
    method: MethodSpec | None = None
    """For tools whose argument decides the action."""
    dispatch: DispatchSpec | None = None
    """For tools that run other tools."""
    tags: Names = ()
    """sensitive, personal, exfiltration, merge, cost."""


class Classification(Shape):
    """What a server's tools do; goes before the shipped table, row by row."""

    extends: Literal["shipped", "none"] = "shipped"
    """none: the shipped table is not used for this server."""
    case_insensitive: bool = True
    """Names are compared without case everywhere; accepted and without effect."""
    resource_parents: dict[Line, Line] = Field(default_factory=dict)
    """Type -> the type it belongs to: {labels: issues}."""
    project_args: tuple[Argument, ...] = ()
    """Arguments that name a project, in any tool."""
    pinned_args: dict[Argument, Line] = Field(default_factory=dict)
    """Argument -> the regular expression it must match in full, in any tool."""
    tools: dict[ToolName, ToolRow] = Field(default_factory=dict)
    """By name; names with * or ? stand for all tools without a row of their own, first one wins."""
