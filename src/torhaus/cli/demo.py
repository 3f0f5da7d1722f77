"""`torhaus demo`: from nothing to a running gateway that shows what it does."""

import os
import threading
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from torhaus.cli import logs
from torhaus.cli.addresses import local_url
from torhaus.cli.output import complain, printable, refuse, say
from torhaus.cli.reading import DEFAULT, Reader, read_or_exit, told
from torhaus.cli.serve import Port, begin, lines, listen_or_exit, run, welcome
from torhaus.cli.tour import Tour
from torhaus.config.load import Loaded
from torhaus.identity import keys
from torhaus.model.servers import StdioAddress
from torhaus.redact.guard import Guard
from torhaus.store.audit.disk import prepare

VARIABLE = "TORHAUS_FIRST_KEY"
KEY_FILE = "demo.key"
PACKAGES = ("mcp-server-time", "mcp-server-git")
"""The example's servers: commands, and the packages of the same names they come from."""


def demo(
    *,
    port: Port = None,
    data_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where data is kept.")] = Path(
        "data"
    ),
) -> None:
    """Start an example, show two calls, keep serving.

    Uses ./torhaus.yml; puts an example there if there is none.
    """
    guard = Guard()
    logs.troubles(guard.text)
    _example(DEFAULT)
    key = os.environ.get(VARIABLE) or _key(data_dir)
    environ = {**os.environ, VARIABLE: key}
    reader = Reader(path=DEFAULT, port=port, data_dir=data_dir, environ=environ)
    loaded = read_or_exit(reader)
    for warning in loaded.warnings:
        complain(told(warning, "warn"))
    _missing(loaded)
    sockets = listen_or_exit(loaded)
    bound = sockets[0].getsockname()[1]

    def ready(first: str | None) -> None:
        welcome(loaded, bound)
        if first is not None:
            begin(first)
        # A daemon: however long a server takes to answer, the gateway stops when it is told to.
        threading.Thread(target=_show, args=(loaded, bound, key), daemon=True).start()

    run(reader, loaded, sockets, ready, guard)


def _show(loaded: Loaded, port: int, key: str) -> None:
    tour = Tour(loaded, local_url(loaded.settings, port), key)
    known = tour.principal is not None
    if known:
        tour.read()
        tour.refused()
    else:
        say(f"No call is made: no user in {DEFAULT} has the key ${{{VARIABLE}}}.\n", "yellow")
    lines(loaded, port, key if known else "YOUR-KEY")
    say(f"Torhaus keeps serving; Ctrl-C stops it. {DEFAULT} is read again when you change it.")
    say("Every call from now on is a line here, as `torhaus audit tail -f` prints it.\n", "dim")
    tour.watch()


def _example(path: Path) -> None:
    """Put the example in place, unless there is a configuration."""
    if path.exists():
        return
    text = resources.files("torhaus").joinpath("torhaus.example.yml").read_text("utf-8")
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        refuse(f"Not started: {path} cannot be written: {error.strerror}.")
    say(f"Wrote {path}, an example to start from.", "dim")


def _missing(loaded: Loaded) -> None:
    """Say how to get the example's servers where they are not installed."""
    addresses = [server.address for server in loaded.rules.servers.values()]
    wanted = [each.command for each in addresses if isinstance(each, StdioAddress)]
    missing = [command for command in wanted if command in PACKAGES]  # found ones are paths
    if missing:
        complain(f"The example needs its servers: pip install {' '.join(missing)}\n", "yellow")


def _key(data_dir: Path) -> str:
    """The key of the first user, made on the first run and readable by its owner alone."""
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            prepare(data_dir)
            _write(path, keys.mint(os.urandom(keys.RANDOM_BYTES)))
            say(f"Made a key for the first user; it is kept in {printable(str(path))}.", "dim")
        key = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        refuse(f"Not started: {path} cannot be used: {error}.")
    if not keys.well_formed(key):
        refuse(f"Not started: {path} does not hold a key; remove the file to get a new one.")
    return key


def _write(path: Path, key: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(key + "\n")
