"""A server as a child process: JSON-RPC by lines on its standard streams (MCP, stdio transport)."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from typing import cast

import structlog

from torhaus.model.servers import StdioAddress
from torhaus.upstream.faults import FaultError
from torhaus.upstream.lines import Lines, TooLong
from torhaus.upstream.pipe import MAX_MESSAGE, Ears, NotSentError, Opener, Pipe
from torhaus.upstream.stderr import Stderr

log = structlog.get_logger()

INHERITED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
)
"""Our own variables that a server sees; anything else could be a secret of ours."""

STEP = 2.0
"""Seconds a process gets at each step of being stopped."""
LAST_WORDS = 1.0
"""Seconds between the end of a process and the end of its output, or the other way round."""
SEND_TIMEOUT = 30.0
"""Seconds to wait for a process that does not read its input."""


def stdio_opener(server: str, address: StdioAddress, limit: int = MAX_MESSAGE) -> Opener:
    async def open_stdio(ears: Ears) -> Pipe:
        env = environment(address)
        program = _program(address, env)
        stderr = Stderr(server, [value.reveal() for _, value in address.env])
        try:
            _, pipe = await asyncio.get_running_loop().subprocess_exec(
                lambda: StdioPipe(server, ears, stderr, limit),
                program,
                *address.args,
                env=env,
                cwd=address.cwd,
                start_new_session=True,
            )
        except OSError as error:
            # The arguments stay out of it: they may hold secrets.
            why = error.strerror or type(error).__name__
            raise FaultError(f"it cannot be started: {why}") from error
        return pipe

    return open_stdio


def environment(address: StdioAddress) -> dict[str, str]:
    """What the process sees: the allow-list, then what is configured.

    The directory of our own interpreter comes last in PATH, so that servers installed beside
    Torhaus are found although nobody activated its environment.
    """
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env["PATH"] = os.pathsep.join((env.get("PATH", os.defpath), os.path.dirname(sys.executable)))
    env.update((name, value.reveal()) for name, value in address.env)
    return env


def _program(address: StdioAddress, env: dict[str, str]) -> str:
    if address.cwd is not None and not os.path.isdir(address.cwd):
        raise FaultError(f'it cannot be started: there is no directory "{address.cwd}"')
    if any("\0" in text for text in (address.command, *address.args, *env, *env.values())):
        # uvloop would cut the text there without a word.
        raise FaultError("it cannot be started: its command line has a zero byte in it")
    if os.sep in address.command:
        return address.command
    found = shutil.which(address.command, path=env["PATH"])
    if found is None:
        raise FaultError(f'it cannot be started: the command "{address.command}" was not found')
    return found


class StdioPipe(asyncio.SubprocessProtocol):
    """Made by `stdio_opener`. The process leads its own group, which is ended with it."""

    def __init__(self, server: str, ears: Ears, stderr: Stderr, limit: int) -> None:
        self._server = server
        self._ears = ears
        self._stderr = stderr
        self._lines = Lines(limit)
        self._loop = asyncio.get_running_loop()
        self._writable = asyncio.Event()
        self._writable.set()
        self._over = asyncio.Event()
        self._lost = asyncio.Event()
        self._exited = False
        self._silent = False
        self._reported = False
        self._paused = False
        self._closing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()

    async def send(self, message: bytes) -> None:
        if not self._writable.is_set():
            await self._drain()
        stdin = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if self._reported or self._closing is not None or stdin is None or stdin.is_closing():
            raise NotSentError("it is not running")
        # A raw line break in JSON text can only be white space, but here it would end the message.
        line = message.replace(b"\n", b" ").replace(b"\r", b" ")
        stdin.write(line + b"\n")

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._writable.wait()
        except TimeoutError:
            raise NotSentError("it does not read its input") from None

    def pause(self) -> None:
        self._paused = True
        stdout = cast("asyncio.ReadTransport | None", self._transport.get_pipe_transport(1))
        if stdout is not None:
            with contextlib.suppress(RuntimeError):  # uvloop: already paused or closing
                stdout.pause_reading()

    def resume(self) -> None:
        if not self._paused:
            return
        self._paused = False
        stdout = cast("asyncio.ReadTransport | None", self._transport.get_pipe_transport(1))
        if stdout is not None:
            with contextlib.suppress(RuntimeError):
                stdout.resume_reading()

    async def close(self) -> None:
        if self._closing is None:
            self._closing = self._loop.create_task(self._stop())
        await asyncio.shield(self._closing)

    async def _stop(self) -> None:
        """Close its input; 2 s later ask its group to end; 2 s later end it."""
        stdin = self._transport.get_pipe_transport(0)
        if stdin is not None:
            stdin.close()
        self.resume()
        # Where only its children are left, they have no reason to go on and are asked at once.
        if not await _set_within(self._over, 0.05 if self._exited else STEP):
            self._signal(signal.SIGTERM)
            if not await _set_within(self._over, STEP):
                self._signal(signal.SIGKILL)
        await _set_within(self._over, LAST_WORDS)
        # Its children have no master any more, whether or not they hold our pipes.
        self._signal(signal.SIGKILL)
        self._transport.close()
        await _set_within(self._lost, LAST_WORDS)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    # asyncio.SubprocessProtocol

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd != 1:
            self._stderr.feed(data)
            return
        for line in self._lines.feed(data):
            if isinstance(line, TooLong):
                self._ears.oversized(line.head, line.tail)
            elif line and not line.isspace():
                self._ears.message(line)

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        if fd == 0:
            self._writable.set()
        elif fd == 1:
            self._silent = True
            self._check()
        else:
            self._stderr.finish()

    def process_exited(self) -> None:
        self._exited = True
        self._check()

    def _check(self) -> None:
        if self._exited and self._silent:
            self._over.set()
            # Its error stream, with the last words, may be read in this same turn of the loop.
            self._loop.call_later(0.01, self._report)
        else:
            self._loop.call_later(LAST_WORDS, self._report)

    def _report(self) -> None:
        if self._reported:
            return
        self._reported = True
        self._writable.set()
        if self._closing is None:
            reason = self._reason()
            log.info("upstream.process_ended", server=self._server, pid=self.pid, reason=reason)
            self._ears.ended(reason)

    def _reason(self) -> str:
        code = self._transport.get_returncode()
        if code is None:
            text = "closed its output"
        elif code < 0:
            text = f"was ended by {_signal_name(-code)}"
        else:
            text = f"stopped with exit code {code}"
        last = self._stderr.last()
        return text if last is None else f"{text}: {last}"

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost.set()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
