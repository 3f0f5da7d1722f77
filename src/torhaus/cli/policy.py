"""`torhaus policy test`: calls and the verdicts they should get, for a team's own CI."""

import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from torhaus.cli.output import NO, columns, counted, misused, printable, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.cli.simulated import instant, simulated
from torhaus.config.load import Loaded
from torhaus.config.problems import ConfigError
from torhaus.config.source import read
from torhaus.gate.explain import Explanation, Question, explain

VERDICTS = ("allow", "deny", "approval")


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call and what it should come to; `code` and `rule` are compared where given."""

    user: str
    server: str
    tool: str
    expect: str
    name: str = ""
    args: dict[str, Any] = {}
    at: str | None = None
    ip: str = "127.0.0.1"
    client: str = ""
    hints: dict[str, Any] = {}
    code: str | None = None
    rule: str | None = None


class Cases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `config` is relative to it; `at` is for every case without one of its own."""

    cases: list[Case]
    config: str = "torhaus.yml"
    at: str | None = None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A case that was tried. `wrong`: what differs, empty when it passed."""

    name: str
    passed: bool
    wrong: str
    verdict: str
    policy_applied: str
    code: str
    reason: str


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Cases, as YAML.")],
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Goes before the file's own."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Try calls against a configuration and compare the verdicts with the expected ones.

    Works on the configuration alone. Exit codes: 0 all as expected, 1 some not, 2 wrong use.
    """
    cases = _cases(file)
    where = config if config is not None else file.parent / cases.config
    loaded = simulated(where, [case.server for case in cases.cases])
    done = [_tried(loaded, case, cases.at, number) for number, case in enumerate(cases.cases, 1)]
    failed = sum(not each.passed for each in done)
    if json:
        say_json({"passed": len(done) - failed, "failed": failed, "cases": done})
    else:
        rows: list[list[str | Text]] = [
            [Text("ok" if e.passed else "FAIL", _style(e)), e.name, e.wrong] for e in done
        ]
        say(columns(rows))
        say(f"{counted(len(done), 'case')}, {counted(failed, 'failure')}.", _style_of(failed))
    if failed:
        raise typer.Exit(NO)


def _style(ran: Ran) -> str:
    return "green" if ran.passed else "bold red"


def _style_of(failed: int) -> str:
    return "bold red" if failed else "green"


def _cases(file: Path) -> Cases:
    try:
        plain = read(file.read_text(), str(file)).root.plain()
        cases = msgspec.convert(plain, Cases, strict=True)
    except (OSError, UnicodeDecodeError) as error:
        misused(f"{file} cannot be read: {error}")
    except ConfigError as error:
        misused(str(error))
    except msgspec.ValidationError as error:
        misused(f"{file}: {error}. A case has user, server, tool, args and expect.")
    if not cases.cases:
        misused(f"{file} has no cases")
    for number, case in enumerate(cases.cases, 1):
        if case.expect not in VERDICTS:
            misused(f"{file}: case {number} expects {case.expect!r}; use {', '.join(VERDICTS)}")
    return cases


def _tried(loaded: Loaded, case: Case, at: str | None, number: int) -> Ran:
    name = case.name or f"{case.user} {case.server}.{case.tool}"
    question = Question(
        user=case.user,
        server=case.server,
        tool=case.tool,
        arguments=msgspec.json.encode(case.args).decode(),
        ip=case.ip,
        client=case.client,
        hints=case.hints,
    )
    now = instant(case.at or at, loaded.settings.timezone, time.time())
    try:
        answer = explain(loaded.rules, question, now)
    except ValueError as error:
        misused(f"case {number} ({name}): {error}")
    wrong = _differs(case, answer)
    return Ran(
        name=printable(name),
        passed=not wrong,
        wrong=wrong,
        verdict=answer.verdict,
        policy_applied=answer.policy_applied,
        code=answer.code,
        reason=answer.reason,
    )


def _differs(case: Case, answer: Explanation) -> str:
    for what, wanted, found in (
        ("verdict", case.expect, answer.verdict),
        ("code", case.code, answer.code),
        ("rule", case.rule, answer.policy_applied),
    ):
        if wanted is not None and wanted != found:
            return f"{what}: expected {wanted}, got {found}: {answer.reason}"
    return ""
