"""`torhaus explain`: what the gate would say to a call, and why."""

import json as text_json
import sys
import time
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.output import NO, columns, misused, printable, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile
from torhaus.cli.remedies import remedies
from torhaus.cli.simulated import instant, simulated
from torhaus.gate.explain import Explanation, Question
from torhaus.gate.explain import explain as explained

STYLES = {"allow": "green", "pass": "green", "deny": "red", "approval": "yellow", "note": "yellow"}


def explain(  # noqa: PLR0913 - each argument is an option of the command
    *,
    user: Annotated[str, typer.Option(metavar="EMAIL", help="Who would call.")],
    server: Annotated[str, typer.Option(metavar="SERVER", help="Which server.")],
    tool: Annotated[str, typer.Option(metavar="TOOL", help="Which tool.")],
    args: Annotated[
        str, typer.Option(metavar="JSON|-", help="The arguments, an object; - reads them.")
    ] = "{}",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, such as 2025-12-24T09:30; else now.")
    ] = None,
    ip: Annotated[str, typer.Option(metavar="IP", help="From where.")] = "127.0.0.1",
    client: Annotated[str, typer.Option(metavar="NAME", help="With which client.")] = "",
    hints: Annotated[
        str, typer.Option(metavar="JSON", help="The tool's annotations, if they matter.")
    ] = "{}",
    config: ConfigFile = DEFAULT,
    json: AsJson = False,
) -> None:
    """Say what the gate would decide about a call, step by step.

    Works on the configuration alone; nothing is sent anywhere. Exit codes: 0 allowed, 1 denied or
    waiting for approval, 2 wrong use.
    """
    loaded = simulated(config, [server])
    question = Question(
        user=user,
        server=server,
        tool=tool,
        arguments=sys.stdin.read() if args == "-" else args,
        ip=ip,
        client=client,
        hints=_object(hints),
    )
    now = instant(at, loaded.settings.timezone, time.time())
    try:
        answer = explained(loaded.rules, question, now)
    except ValueError as error:
        misused(f"--args: {error}")
    if json:
        say_json(answer)
    else:
        _told(answer)
        for sentence in remedies(loaded, question, now) if answer.verdict == "deny" else ():
            say(printable(f"  {sentence}"))
    if answer.verdict != "allow":
        raise typer.Exit(NO)


def _object(text: str) -> dict[str, Any]:
    try:
        value = text_json.loads(text)
    except (ValueError, RecursionError) as error:
        misused(f"--hints is not JSON: {error}")
    if not isinstance(value, dict):
        misused('--hints must be an object, such as {"readOnlyHint": true}')
    return value


def _told(answer: Explanation) -> None:
    head = Text(answer.verdict, f"bold {STYLES[answer.verdict]}")
    say(head.append(printable(f"  {answer.policy_applied}  ({answer.code})"), "default"))
    say(printable(f"  {answer.reason}"))
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
