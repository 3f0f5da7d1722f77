"""`torhaus tools diff|accept|reject`: what servers say anew of their tools."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Api, Key, Url, asked
from torhaus.cli.client import GatewayError
from torhaus.cli.output import counted, misused, printable, say, say_json
from torhaus.cli.reading import AsJson

Name = Annotated[str, typer.Argument(metavar="SERVER", help="The server's name.")]
Some = Annotated[
    str | None, typer.Argument(metavar="[TOOL]", help="One tool; all that wait without it.")
]
Digest = Annotated[
    str | None,
    typer.Option(metavar="SHA256", help="Only what was looked at: `offered` of the difference."),
]
Found = dict[str, Any]


def diff(
    server: Name, tool: Some = None, *, url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Show what differs between accepted tools and what their server offers."""
    found = asked(lambda at: _differences(at, server, tool), url, key)
    if json:
        say_json(found)
        return
    for each in found:
        _show(each)
    if not any(each["offered"] for each in found):
        say(f"{server} offers nothing but what is accepted.")


def accept(  # noqa: PLR0913 -- one argument for each option
    server: Name,
    tool: Some = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Everything that waits.")] = False,
    digest: Digest = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Accept a tool as its server describes it now.

    Look at the difference first: torhaus tools diff SERVER.
    """
    if (tool is None) != every:
        misused("name a tool, or write --all")
    if digest is not None and tool is None:
        misused("--digest is of one tool: name it")
    decide = _decider("accept", server, digest)
    found = asked(lambda at: [decide(at, each) for each in _waiting(at, server, tool)], url, key)
    _tell(found, "accepted", json=json)


def reject(
    server: Name,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="The tool's name.")],
    *,
    digest: Digest = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Let nobody call a tool while its server says this of it."""
    decide = _decider("reject", server, digest)
    found = asked(lambda at: [decide(at, each) for each in _waiting(at, server, tool)], url, key)
    _tell(found, "rejected", json=json)


def _decider(verb: str, server: str, digest: str | None) -> Callable[[Api, Found], Any]:
    def decide(at: Api, tool: Found) -> Any:
        body = {"digest": tool["offered"] if digest is None else digest}
        return at.post("servers", server, "tools", tool["name"], verb, body=body)

    return decide


def _waiting(at: Api, server: str, tool: str | None) -> list[Found]:
    """Raises GatewayError, also when the one tool is not there or does not wait."""
    found: list[Found] = at.get("servers", server, "tools")
    if tool is None:
        return [each for each in found if each["offered"] is not None]
    one = [each for each in found if each["name"] == tool]
    if not one:
        raise GatewayError(f"{server} has never listed a tool {tool}")
    if one[0]["offered"] is None:
        raise GatewayError(f"{tool} is as it was accepted: there is nothing to decide")
    return one


def _differences(at: Api, server: str, tool: str | None) -> list[Found]:
    names = [tool] if tool is not None else [each["name"] for each in _waiting(at, server, None)]
    return [at.get("servers", server, "tools", name, "diff") for name in names]


COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _show(found: Found) -> None:
    say(printable(f"{found['server']} {found['name']}: {found['standing']}"), "bold")
    for line in found["lines"]:
        say(Text(printable(line), COLOURS.get(line[:1], "")))
    for each in found["findings"]:
        say(printable(f"! {each['where']}: {each['text']}"), "yellow")
    if found["offered"] is not None:
        say(f"sha256 {found['offered']}", "dim")


def _tell(found: list[Found], done: str, *, json: bool) -> None:
    if json:
        say_json(found)
        return
    for each in found:
        say(printable(f"{each['name']}: {each['standing']}"))
    if len(found) != 1:
        say(f"{counted(len(found), 'tool')} {done}.", "dim")
