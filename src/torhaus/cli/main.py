"""The `torhaus` command."""

import io
import sys

import typer

from torhaus.cli import access as accesses
from torhaus.cli import approvals as approving
from torhaus.cli import cache as caching
from torhaus.cli import drift, logs
from torhaus.cli.audit import tail
from torhaus.cli.call import call
from torhaus.cli.check import check
from torhaus.cli.cost import cost
from torhaus.cli.demo import demo
from torhaus.cli.doctor.report import doctor
from torhaus.cli.explain import explain
from torhaus.cli.limits import limits
from torhaus.cli.migrate import migrate
from torhaus.cli.policy import run as policy_test
from torhaus.cli.schema import schema
from torhaus.cli.serve import serve
from torhaus.cli.tools import Tools, tools
from torhaus.cli.version import version

# Tracebacks with the values of variables would print secrets.
torhaus = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@torhaus.callback()
def _torhaus() -> None:
    """Torhaus: a gateway for MCP servers.

    Exit codes: 0 for yes, 1 for no, 2 for wrong use.
    """
    logs.quiet()


config = typer.Typer(no_args_is_help=True, help="About the configuration file.")
config.command()(schema)

audit = typer.Typer(no_args_is_help=True, help="About the audit log.")
audit.command()(tail)

policy = typer.Typer(no_args_is_help=True, help="About the rules.")
policy.command("test")(policy_test)

approvals = typer.Typer(no_args_is_help=True, help="Calls that wait for somebody to agree.")
approvals.command("list")(approving.list_)
for decision in (approving.show, approving.approve, approving.deny, approving.cancel):
    approvals.command()(decision)

access = typer.Typer(no_args_is_help=True, help="Roles for a while.")
access.command("list")(accesses.list_)
for act in (accesses.request, accesses.approve, accesses.deny, accesses.revoke):
    access.command()(act)

cache = typer.Typer(no_args_is_help=True, help="Answers that are kept.")
cache.command("list")(caching.list_)
for look in (caching.stats, caching.purge):
    cache.command()(look)

catalogue = typer.Typer(
    cls=Tools, no_args_is_help=True, help="What servers offer, and what each tool counts as."
)
catalogue.command("list")(tools)
for verb in (drift.diff, drift.accept, drift.reject):
    catalogue.command()(verb)

for command in (serve, demo, check, call, explain, doctor, migrate, cost, limits):
    torhaus.command()(command)
torhaus.add_typer(config, name="config")
torhaus.add_typer(audit, name="audit")
torhaus.add_typer(policy, name="policy")
torhaus.add_typer(approvals, name="approvals")
torhaus.add_typer(access, name="access")
torhaus.add_typer(cache, name="cache")
torhaus.add_typer(catalogue, name="tools")
torhaus.command()(version)


def run() -> None:
    """The entry point of `torhaus` and of `python -m torhaus`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what servers say is in any script
    torhaus(prog_name="torhaus")
