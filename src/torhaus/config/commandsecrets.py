"""`exec:COMMAND`: what a program prints, such as a password manager. No shell is involved."""

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from torhaus.config.problems import FaultError

SECONDS = 10.0
MAX = 64 * 1024
_OURS = "TORHAUS_"


class _TooMuchError(Exception):
    """It prints more than any secret is long."""


def command_secret(
    what: str, environ: Mapping[str, str], base: Path, *, seconds: float = SECONDS
) -> str:
    """`what`: a program and its arguments, quoted as in a shell. Raises FaultError.

    It runs in `base`, with the environment but for Torhaus's own variables: they hold the keys of
    the vault. What it says when it fails is not shown: it may hold the secret.
    """
    try:
        words = shlex.split(what)
    except ValueError:
        words = []
    if not words:
        raise FaultError("there is no command", "write exec:PROGRAM ARGUMENT...")
    given = {name: value for name, value in environ.items() if not name.startswith(_OURS)}
    try:
        code, printed = _run(words, given, base, seconds)
    except subprocess.TimeoutExpired:
        text = f"{words[0]} did not end within {seconds:g} s"
        raise FaultError(text, "run it by hand: it may be asking something") from None
    except _TooMuchError:
        text = f"{words[0]} printed more than {MAX >> 10} KiB"
        raise FaultError(text, "have it print the secret alone") from None
    except (OSError, ValueError) as error:
        said = (isinstance(error, OSError) and error.strerror) or "it cannot be run"
        raise FaultError(f"{words[0]} cannot be started: {said}", "write its whole path") from None
    if code != 0:
        text = f"{words[0]} ended with {code}"
        raise FaultError(text, "run it by hand, as the user Torhaus runs as")
    try:
        return printed.decode()
    except UnicodeDecodeError:
        raise FaultError(f"{words[0]} printed no text", "have it print the secret alone") from None


def _run(
    words: Sequence[str], environ: Mapping[str, str], base: Path, seconds: float
) -> tuple[int, bytes]:
    """Its exit code, and what it printed. Raises TimeoutExpired, _TooMuchError, OSError."""
    with subprocess.Popen(  # noqa: S603 -- of the administrator's own file, without a shell
        words,
        cwd=base,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that what it starts can be ended with it
    ) as running:
        until = time.monotonic() + seconds
        try:
            printed = _printed(running, until)
            return running.wait(max(0.0, until - time.monotonic())), printed
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL)  # not reaped yet, so it is still its number
            raise


def _printed(running: subprocess.Popen[bytes], until: float) -> bytes:
    stream, found = running.stdout, b""
    if stream is None:  # it is a pipe: see above
        return found
    with selectors.DefaultSelector() as ready:
        ready.register(stream, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not ready.select(left):
                raise subprocess.TimeoutExpired(running.args, left)
            more = os.read(stream.fileno(), MAX)
            if not more:
                return found
            found += more
            if len(found) > MAX:
                raise _TooMuchError
