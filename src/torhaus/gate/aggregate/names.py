"""The names that things of several servers have under one address, out and back."""

from collections.abc import Collection
from urllib.parse import unquote

from torhaus.model.access import Glob
from torhaus.model.views import View
from torhaus.policy.names import normal

BETWEEN = "__"
LONGEST = 64
"""Characters of a tool's name that all models take, with what its client writes before it."""
APP = "ui://"
"""Resources of MCP apps keep their scheme: clients look for it."""


def tool_out(view: View, server: str, tool: str) -> str:
    """The name of a server's tool, where it is called as one of many."""
    place = server, tool
    return view.renamed.get(place) or view.aliases.get(place) or prompt_out(server, tool)


def too_long(name: str, prefix: str) -> bool:
    """Whether some models refuse it."""
    return len(prefix) + len(name) > LONGEST


def prompt_out(server: str, prompt: str) -> str:
    return f"{server}{BETWEEN}{prompt}"


def uri_out(server: str, uri: str) -> str:
    """The address of a server's resource; templates stay templates."""
    if uri.startswith(APP):
        return f"{APP}{server}/{uri[len(APP) :]}"
    return f"{server}+{uri}"


def task_out(server: str, task: str) -> str:
    """The id of a server's task; sealed ones hold no +, nor do names of servers."""
    return f"{server}+{task}"


def task_in(task: str) -> tuple[str, str] | None:
    server, plus, rest = task.partition("+")
    return (server, rest) if plus and server and rest else None


def tool_in(view: View, name: str) -> tuple[str, str] | None:
    """Server and tool of a name; None for a name that stands for nothing here."""
    for given in (view.renamed, view.aliases):
        for place, other in given.items():
            if other == name:
                return place
    found = prompt_in(name)
    return None if found in view.renamed else found


def prompt_in(name: str) -> tuple[str, str] | None:
    """Split at the first separator: servers' names hold none, their tools' may."""
    server, between, rest = name.partition(BETWEEN)
    return (server, rest) if between and server and rest else None


def uri_in(uri: str) -> tuple[str, str] | None:
    """Server and the server's own address. There is one spelling for each, as `uri_out` has it."""
    if uri.startswith(APP):
        server, slash, rest = uri[len(APP) :].partition("/")
        return (server, APP + rest) if slash and server else None
    server, plus, rest = uri.partition("+")
    return (server, rest) if plus and server and rest and not rest.startswith(APP) else None


def absent(view: View, server: str, listed: Collection[str]) -> list[str]:
    """What a view says of tools that this server, which lists these, does not have."""
    pick, plain = view.pick(server), {normal(name) for name in listed}
    chosen = () if pick is None else pick.tools or ()
    unmet = [each.text for each in chosen if not any(map(each.pattern.fullmatch, listed))]
    for named in (view.renamed, view.aliases):
        unmet += [tool for at, tool in named if at == server and tool not in listed]
    unmet += [tool for at, tool in view.fixed if at == server and tool not in plain]
    return list(dict.fromkeys(unmet))


def picked(patterns: tuple[Glob, ...] | None, name: str) -> bool:
    """Whether a view shows what has this name at its server."""
    return patterns is None or any(each.pattern.fullmatch(name) for each in patterns)


def shown_at(patterns: tuple[Glob, ...] | None, uri: str) -> bool:
    """The same of a resource. One that leads out of its folder again is none of the folder's."""
    if patterns is None:
        return True
    plain = unquote(uri).replace("\\", "/")
    return ".." not in plain and uri.count("/") == plain.count("/") and picked(patterns, uri)
