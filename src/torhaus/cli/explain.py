"""`torhaus explain`: what the gate would say to a call, and why."""

import json as text_json
import os
import sys
import time
from collections.abc import Iterable
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.text import Text

from torhaus.cli.api import Running, gateway
from torhaus.cli.api import asked as api
from torhaus.cli.asking import FileOnly, Judge, database_of, has_database
from torhaus.cli.output import NO, columns, complain, misused, printable, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir
from torhaus.cli.remedies import remedies
from torhaus.cli.simulated import instant, simulated
from torhaus.config.load import Loaded
from torhaus.gate.explain import Explanation, Question
from torhaus.model.ports import StateError

Who = Annotated[str | None, typer.Argument(metavar="EMAIL", help="Who would call.")]
Where = Annotated[str | None, typer.Argument(metavar="SERVER", help="Which server.")]
What = Annotated[str | None, typer.Argument(metavar="TOOL", help="Which tool.")]
User = Annotated[str | None, typer.Option(metavar="EMAIL", help="The same.")]
Server = Annotated[str | None, typer.Option(metavar="SERVER", help="The same.")]
Tool = Annotated[str | None, typer.Option(metavar="TOOL", help="The same.")]
Arguments = Annotated[
    str, typer.Option(metavar="JSON|-", help="The arguments, an object; - reads them.")
]
KeyId = Annotated[
    str, typer.Option(metavar="ID", help="With which key or token: torhaus keys list.")
]
At = Annotated[
    str | None, typer.Option(metavar="TIME", help="When, such as 2025-12-24T09:30; else now.")
]
Ip = Annotated[str, typer.Option(metavar="IP", help="From where.")]
ClientName = Annotated[str, typer.Option(metavar="NAME", help="With which client.")]
Hints = Annotated[str, typer.Option(metavar="JSON", help="The tool's annotations, if they matter.")]

STYLES = {"allow": "green", "pass": "green", "deny": "red", "approval": "yellow", "note": "yellow"}


def explain(  # noqa: PLR0913 - each argument is an option of the command
    context: typer.Context,
    who: Who = None,
    where: Where = None,
    what: What = None,
    *,
    user: User = None,
    server: Server = None,
    tool: Tool = None,
    args: Arguments = "{}",
    key: KeyId = "",
    at: At = None,
    ip: Ip = "127.0.0.1",
    client: ClientName = "",
    hints: Hints = "{}",
    url: Running = None,
    file_only: FileOnly = False,
    config: ConfigFile = DEFAULT,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Say what the gate would decide about a call, step by step.

    Works on the configuration and the state database, where there is one, or asks a running
    gateway; nothing is called. Exit codes: 0 allowed, 1 denied or waiting, 2 wrong use.
    """
    asked = Question(
        user=_one("EMAIL", who, user, "" if key else None),
        server=_one("SERVER", where, server),
        tool=_one("TOOL", what, tool),
        arguments=sys.stdin.read() if args == "-" else args,
        ip=ip,
        client=client,
        hints=_object("--hints", hints),
    )
    url = gateway(context, url, "config", "data_dir", "file_only")
    if url is not None:
        _end(_from_gateway(url, asked, key, at), (), json=json)
    loaded = simulated(config, [asked.server], data_dir)
    now = instant(at, loaded.settings.timezone, time.time())
    asked, judge = _judge(loaded, asked, key, now, file_only=file_only)
    try:
        answer = judge.answer(asked, now)
    except ValueError as error:
        misused(f"--args: {error}")
    helps = remedies(judge, asked, now) if answer.verdict == "deny" and not json else ()
    _end(answer, helps, json=json)


def _end(answer: Explanation, helps: Iterable[str], *, json: bool) -> NoReturn:
    if json:
        say_json(answer)
    else:
        _told(answer)
        for sentence in helps:
            say(printable(f"  {sentence}"))
    raise typer.Exit(0 if answer.verdict == "allow" else NO)


def _one(what: str, first: str | None, second: str | None, absent: str | None = None) -> str:
    """An argument that may also be an option."""
    if first is not None and second is not None and first != second:
        misused(f"{what} stands there twice: {first} and {second}")
    found = first if first is not None else second
    found = absent if found is None else found
    if found is None:
        misused(f"{what} is missing: torhaus explain EMAIL SERVER TOOL")
    return found


def _judge(
    loaded: Loaded, asked: Question, key: str, now: float, *, file_only: bool
) -> tuple[Question, Judge]:
    """With what the database says, where there is one. `asked.user`: empty for a key's owner."""
    if file_only or not has_database(loaded.settings):
        if key or not asked.user:
            refuse("Without a state database nobody knows keys by their ids.")
        return asked, Judge(loaded)
    try:
        told = database_of(loaded.settings, asked.user, key, now)
    except StateError as error:
        if key or asked.user.lower() not in loaded.rules.principals:
            refuse(f"{error}. Without it only people of the file are known: --file-only.")
        complain(f"{error}: judged by the file alone.", "dim")
        return asked, Judge(loaded)
    if not told.standing.email:
        refuse(f"There is no key {key!r}: torhaus keys list.")
    return msgspec.structs.replace(asked, user=told.standing.email), Judge(loaded, told)


def _from_gateway(url: str, asked: Question, key: str, at: str | None) -> Explanation:
    """What a running gateway says, with whatever is in force there."""
    body = {
        "user": asked.user,
        "server": asked.server,
        "tool": asked.tool,
        "arguments": _object("--args", asked.arguments),
        "ip": asked.ip,
        "client": asked.client,
        "hints": dict(asked.hints),
        "key": key,
        "at": at,
    }
    found = api(lambda it: it.post("explain", body=body), url, os.environ.get("TORHAUS_KEY"))
    return msgspec.convert(found, Explanation)


def _object(option: str, text: str) -> dict[str, Any]:
    try:
        value = text_json.loads(text)
    except (ValueError, RecursionError) as error:
        misused(f"{option} is not JSON: {error}")
    if not isinstance(value, dict):
        misused(f'{option} must be an object, such as {{"readOnlyHint": true}}')
    return value


def _told(answer: Explanation) -> None:
    head = Text(answer.verdict, f"bold {STYLES[answer.verdict]}")
    say(head.append(printable(f"  {answer.policy_applied}  ({answer.code})"), "default"))
    say(printable(f"  {answer.reason}"))
    if answer.place:
        say(printable(f"  {answer.place}"), "dim")
    say()
    rows: list[list[str | Text]] = [
        [
            Text(f"{number}", "dim"),
            step.step,
            Text(step.result, STYLES.get(step.result, "")),
            detail,
        ]
        for number, step in enumerate(answer.trace, 1)
        for detail in (f"{step.rule}: {step.detail}" if step.rule else step.detail,)
    ]
    say(columns(rows, indent=2))
    if answer.verdict == "deny":
        say()
