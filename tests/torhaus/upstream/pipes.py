"""What tests of pipes share: servers to start, sinks that remember, loops that end clean."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from torhaus.mcp.versions import LATEST_LEGACY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice
from torhaus.model.secret import Secret
from torhaus.model.servers import Era, Server, Sharing, StdioAddress
from torhaus.model.session import Session
from torhaus.upstream.pipelink import Limits, PipeLink
from torhaus.upstream.stdio import stdio_opener

SCRIPT = str(Path(__file__).parent / "servers" / "stdio_server.py")
EVERYTHING = b'{"elicitation":{},"sampling":{},"roots":{}}'


def run(work: Coroutine[Any, Any, None], loop: str = "uvloop") -> None:
    """Run it, and see to it that neither a task nor a child nor a descriptor is left."""
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop

    async def checked() -> None:
        async with asyncio.timeout(120):
            await work
        for _ in range(5):  # transports close in the next turns of the loop
            await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, others

    with asyncio.Runner(loop_factory=factory) as first:
        first.run(asyncio.sleep(0))  # libuv keeps a pipe for signals from its first loop on
    before, known = descriptors(), children()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(checked())
    assert children() == known
    assert descriptors() <= before  # fewer, where the collector finds one of a test before


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


OTHERS: set[int] = set()
"""Children from before the test, such as the databases of other tests."""


def children() -> list[int]:
    """Processes whose parent we are since the test began, zombies included."""
    return [pid for pid in every_child() if pid not in OTHERS]


def every_child() -> list[int]:
    numbers = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [pid for pid in numbers if _status(pid)[1] == str(os.getpid())]


def alive(pid: int) -> bool:
    return _status(pid)[0] not in ("", "Z")


def _status(pid: int) -> tuple[str, str]:
    """State and parent of a process (proc(5))."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return state, parent


async def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.005)


@dataclass(eq=False)
class Memo:
    """A sink that remembers. `primed`: events without data, which only say where a stream is."""

    throttle: Callable[[bool], None] | None = None
    notices: list[Notice] = field(default_factory=list)
    primed: list[Notice] = field(default_factory=list)
    established: bool = False

    def opened(self) -> None:
        self.established = True

    def notice(self, notice: Notice) -> None:
        (self.notices if notice.body else self.primed).append(notice)

    def methods(self) -> list[str | None]:
        return [notice.method for notice in self.notices]

    def bodies(self) -> list[Any]:
        return [json.loads(notice.body) for notice in self.notices]


def address(*manners: str, **more: Any) -> StdioAddress:
    more.setdefault("env", ())
    return StdioAddress(command=sys.executable, args=(SCRIPT, *manners), **more)


def stdio_link(*manners: str, **more: Any) -> PipeLink:
    names = ("conversations", "start", "resting")
    limits = Limits(**{name: more.pop(name) for name in names if name in more})
    sharing = more.pop("sharing", Sharing.PRINCIPAL)
    server = Server(name="fixture", address=address(*manners, **more), sharing=sharing)
    return PipeLink(server, stdio_opener("fixture", server.address), limits=limits)


@contextlib.asynccontextmanager
async def linked(*manners: str, **more: Any) -> AsyncIterator[PipeLink]:
    link = stdio_link(*manners, **more)
    try:
        yield link
    finally:
        await link.shutdown()


def session(jti: str = "s1", who: str = "alice", **more: Any) -> Session:
    return Session(
        token="t",
        jti=jti,
        server="fixture",
        principal=who,
        version=more.get("version", LATEST_LEGACY),
        capabilities=more.get("capabilities", EVERYTHING),
        client_info=b'{"name":"test","version":"0"}',
        created=0.0,
        expires=1e12,
    )


def ask(method: str, params: Any = None, **more: Any) -> Ask:
    caller = more.get("session")
    return Ask(
        method=method,
        id=more.get("id", b"1"),
        params=b"" if params is None else json.dumps(params).encode(),
        era=Era.MODERN if caller is None else Era.LEGACY,
        principal=more.get("who", "alice" if caller is None else caller.principal),
        session=caller,
        timeout=more.get("timeout", 20.0),
    )


def tool(name: str, arguments: Any = None, *, meta: Any = None, **more: Any) -> Ask:
    params: dict[str, Any] = {"name": name}
    if arguments is not None:
        params["arguments"] = arguments
    if meta is not None:
        params["_meta"] = meta
    return ask("tools/call", params, **more)


def said(answer: Answer) -> Any:
    """The text of a tool's result."""
    assert answer.result is not None, answer.error
    return json.loads(answer.result)["content"][0]["text"]


def secret(value: str) -> Secret:
    return Secret(value)


async def heard(link: PipeLink, front: Session) -> Any:
    """Everything the process has received, this question included."""
    return json.loads(said(await link.request(tool("heard", session=front), Memo())))
