"""`torhaus serve`: the gateway, until it is told to stop."""

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer
import uvloop
from rich.text import Text

from torhaus import __version__, app
from torhaus.cli import logs
from torhaus.cli.addresses import connect_lines, local_url, team_url
from torhaus.cli.listening import TakenError, listen
from torhaus.cli.output import columns, complain, printable, refuse, say
from torhaus.cli.reading import DEFAULT, ConfigFile, DataDir, Reader, read_or_exit, told
from torhaus.config.load import Loaded
from torhaus.model.ports import LedgerError, StateError
from torhaus.redact.guard import Guard

Host = Annotated[str | None, typer.Option(help="Where to listen; goes before the file's.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Goes before the file's; 0 picks a free one.")
]


def serve(
    *,
    config: ConfigFile = DEFAULT,
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
) -> None:
    """Start the gateway.

    It stops on SIGTERM or Ctrl-C, and reads the file again when it changes and on SIGHUP.
    """
    guard = Guard()
    logs.running(guard.text)
    reader = Reader(path=config, host=host, port=port, data_dir=data_dir)
    loaded = read_or_exit(reader)
    for warning in loaded.warnings:
        complain(told(warning, "warn"))
    sockets = listen_or_exit(loaded)
    bound = sockets[0].getsockname()[1]

    def ready(first: str | None) -> None:
        welcome(loaded, bound)
        browser = loaded.settings.local.enabled or bool(loaded.rules.providers)
        lines(loaded, bound, None if browser else "YOUR-KEY")
        if first is not None:
            begin(first)

    run(reader, loaded, sockets, ready, guard)


def listen_or_exit(loaded: Loaded) -> list[socket.socket]:
    """Sockets on the configured address, or a sentence and exit code 1."""
    try:
        return listen(loaded.settings.host, loaded.settings.port)
    except TakenError as error:
        refuse(f"Not started: {error}.")


def run(
    reader: Reader,
    loaded: Loaded,
    sockets: list[socket.socket],
    ready: Callable[[str | None], None],
    guard: Guard,
) -> None:
    """Serve until a signal; then the program ends with exit code 0. `guard`: the log's."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _leave)
    try:
        uvloop.run(
            app.serve(
                loaded,
                reader.path,
                reader,
                ready=ready,
                sockets=sockets,
                guard=guard,
                stale=reader.stale,
            )
        )
    except (LedgerError, StateError) as error:
        refuse(f"Not started: {error}.")
    except (OSError, ValueError) as error:
        refuse(f"Not started: the data directory cannot be used: {error}.")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Before the server runs there is nothing to drain; after it, it sends the signal again."""
    raise SystemExit(0)


def welcome(loaded: Loaded, port: int) -> None:
    """Where the gateway is, and what stands behind it."""
    url = local_url(loaded.settings, port)
    title = Text(f"Torhaus {__version__}", style="bold").append(" listens on ", style="not bold")
    say(title.append(url, style="bold cyan"))
    dim = [("status", f"{url}/status"), ("data", str(loaded.settings.data_dir.absolute()))]
    servers = [(name, f"{url}/mcp/{name}") for name in loaded.rules.servers]
    say(
        columns(
            [*servers, *([Text(a, "dim"), Text(printable(b), "dim")] for a, b in dim)], indent=2
        )
    )
    say()


def lines(loaded: Loaded, port: int, key: str | None) -> None:
    """How to connect Claude Code. `key`: None where it signs in through the browser."""
    if not loaded.rules.servers:
        return
    say("Connect Claude Code:" if key else "Connect Claude Code, which then signs in (/mcp):")
    here, elsewhere = local_url(loaded.settings, port), team_url(loaded.settings, port)
    # Whoever signs in has to come back, and under a name that nobody has told us he does not.
    nameless = key is None and loaded.settings.public_url is None and here != elsewhere
    for line in connect_lines(here if nameless else elsewhere, loaded.rules.servers, key):
        say(f"  {line}", "cyan")
    if key is None:
        say('  Programs without a browser add --header "apikey: THEIR-KEY".', "dim")
    if nameless:
        say(f"From other machines {elsewhere} is for programs with a key until")
        say("server.public_url says what people type: then they sign in there.")
    say()


def begin(link: str) -> None:
    """Where the first administrator is made. On the terminal alone: whoever has it is one."""
    say("Nobody administers this gateway yet. Open this link once, within a day:")
    say(f"  {link}", "cyan")
    say()
