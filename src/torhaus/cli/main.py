"""The `torhaus` command."""

import ast
import gc
import io
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from torhaus.cli import logs

# What each word does, as MODULE:FUNCTION below torhaus.cli. Imported when it is said: whoever asks
# for the version need not wait for the database's libraries.
COMMANDS = {
    "serve": "serve:serve",
    "demo": "demo:demo",
    "check": "check:check",
    "call": "call:call",
    "explain": "explain:explain",
    "invite": "invite:invite",
    "doctor": "doctor.report:doctor",
    "migrate": "migrate:migrate",
    "cost": "cost:cost",
    "limits": "limits:limits",
    "servers": "servers:servers",
    "version": "version:version",
}
Words = Mapping[str, "str | tuple[str, Words]"]
GROUPS: Mapping[str, tuple[str, Words]] = {
    "config": ("About the configuration file.", {"schema": "schema:schema"}),
    "audit": (
        "About the audit log.",
        {
            "tail": "audit.tail:tail",
            "verify": "audit.verify:verify",
            "query": "audit.query:query",
            "queries": "audit.query:queries",
            "export": "audit.export:export",
            "erase": "audit.erase:erase",
            "sinks": "audit.sinks:sinks",
            "tiers": "audit.tiers:tiers",
            "compact": "audit.compact:compact",
            "restore": "audit.restore:restore",
            "holds": (
                "Days of which nothing is deleted.",
                {
                    "list": "audit.holds:list_",
                    "add": "audit.holds:add",
                    "release": "audit.holds:release",
                },
            ),
        },
    ),
    "policy": ("About the rules.", {"test": "policy:run"}),
    "approvals": (
        "Calls that wait for somebody to agree.",
        {
            "list": "approvals:list_",
            "show": "approvals:show",
            "approve": "approvals:approve",
            "deny": "approvals:deny",
            "cancel": "approvals:cancel",
        },
    ),
    "access": (
        "Roles for a while.",
        {
            "list": "access:list_",
            "request": "access:request",
            "approve": "access:approve",
            "deny": "access:deny",
            "revoke": "access:revoke",
        },
    ),
    "users": (
        "People and service accounts.",
        {
            "list": "users:list_",
            "show": "users:show",
            "add": "users:add",
            "change": "users:change",
            "suspend": "users:suspend",
            "reinstate": "users:reinstate",
            "relink": "users:relink",
            "offboard": "users:offboard",
            "reset-link": "resetting:reset_link",
        },
    ),
    "teams": (
        "Groups of people, and what they give.",
        {
            "list": "teams:list_",
            "show": "teams:show",
            "create": "teams:create",
            "change": "teams:change",
            "add": "teams:add",
            "remove": "teams:remove",
            "delete": "teams:delete",
        },
    ),
    "invitations": (
        "Who was asked in.",
        {"list": "invite:list_", "revoke": "invite:revoke", "resend": "invite:resend"},
    ),
    "keys": (
        "Keys, sessions, and clients that were let in.",
        {
            "list": "keys:list_",
            "mint": "keys:mint",
            "revoke": "keys:revoke",
            "sessions": "keys:sessions",
            "end": "keys:end",
        },
    ),
    "stop": (
        "The kill switch: people, keys, servers, tools.",
        {
            "list": "stop:list_",
            "user": "stop:user",
            "key": "stop:key_",
            "server": "stop:server",
            "tool": "stop:tool",
            "lift": "stop:lift",
        },
    ),
    "cache": (
        "Answers that are kept.",
        {"list": "cache:list_", "stats": "cache:stats", "purge": "cache:purge"},
    ),
    "secrets": (
        "Credentials for servers.",
        {
            "list": "secrets:list_",
            "put": "secrets:put",
            "rotate": "secrets:rotate",
            "rollback": "secrets:rollback",
            "remove": "secrets:remove",
            "rekey": "secrets:rekey",
        },
    ),
    "tools": (
        "What servers offer, and what each tool counts as.",
        {
            "list": "tools:tools",
            "diff": "drift:diff",
            "accept": "drift:accept",
            "reject": "drift:reject",
        },
    ),
}


class Lazy(TyperGroup):
    """Knows its commands by name, and each when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- Typer's
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- click's
        if cmd_name in COMMANDS:
            return _built(_typer(), {cmd_name: COMMANDS[cmd_name]})
        if cmd_name not in GROUPS:
            return None
        text, below = GROUPS[cmd_name]
        return _built(_group(cmd_name, text), below)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """In the words of each, which are read and not imported: that would be all of Torhaus."""
        texts = {word: _text(where) for word, where in COMMANDS.items()}
        texts |= {word: text for word, (text, _) in GROUPS.items()}
        commands = [TyperCommand(word, help=text) for word, text in texts.items()]
        TyperGroup(commands=commands).format_commands(ctx, formatter)


def _text(where: str) -> str | None:
    """What its function says of itself, for a MODULE:FUNCTION."""
    module, _, function = where.partition(":")
    source = Path(__file__).parent / f"{module.replace('.', '/')}.py"
    body = ast.parse(source.read_bytes()).body
    return next(
        ast.get_docstring(each)
        for each in body
        if isinstance(each, ast.FunctionDef) and each.name == function
    )


def _typer(**more: Any) -> typer.Typer:
    # Tracebacks with the values of variables would print secrets.
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **more
    )


def _group(name: str, text: str) -> typer.Typer:
    group = _typer(cls=_class(name), no_args_is_help=True, help=text, name=name)
    group.callback(help=text)(_nothing)  # a group of one command stays a group
    return group


def _built(app: typer.Typer, words: Words) -> Any:
    gc.disable()  # what libraries make while they load, they keep: to look for garbage is in vain
    _fill(app, words)
    gc.enable()
    return typer.main.get_command(app)


def _fill(app: typer.Typer, words: Words) -> None:
    for word, where in words.items():
        if isinstance(where, tuple):
            text, below = where
            group = _group(word, text)
            _fill(group, below)
            app.add_typer(group)
            continue
        module, _, function = where.partition(":")
        app.command(word)(getattr(import_module(f"torhaus.cli.{module}"), function))


def _class(group: str) -> type[TyperGroup]:
    if group != "tools":
        return TyperGroup
    found: type[TyperGroup] = import_module("torhaus.cli.tools").Tools
    return found


def _nothing() -> None:
    """Groups do nothing themselves."""


torhaus = _typer(
    cls=Lazy, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)


@torhaus.callback()
def _torhaus() -> None:
    """Torhaus: a gateway for MCP servers.

    Exit codes: 0 for yes, 1 for no, 2 for wrong use.
    """
    logs.quiet()


def run() -> None:
    """The entry point of `torhaus` and of `python -m torhaus`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what servers say is in any script
    torhaus(prog_name="torhaus")
