"""Puts questions to processes that can do little else, a few at a time."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from torhaus.model.asking import Question, Table, Unanswered
from torhaus.store.query import landlock
from torhaus.store.query.files import Found
from torhaus.store.query.job import Failure, Job, Reply, Rows

log = structlog.get_logger()

AT_ONCE, WAITING = 2, 8
GRACE = 3.0
"""Seconds a process has beyond its question's, to start and to tell."""
_TRIES = 4
_SLACK = 1 << 20
_ENVIRONMENT = {"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}

Find = Callable[[str, str], Found]


class SandboxRecords:
    """`find`: the files of some days, as they are at this moment; it may block.

    `memory`: octets that DuckDB may use for one question. At most `at_once` are asked at a time
    and `waiting` wait; more are told so.
    """

    def __init__(
        self,
        find: Find,
        *,
        memory: int = 512 << 20,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
    ) -> None:
        self._find = find
        self._memory = memory
        self._turn = asyncio.Semaphore(at_once)
        # Threads of its own: who gave up leaves one behind that still waits for a bucket, and the
        # loop's own threads look up servers' addresses.
        self._finders = ThreadPoolExecutor(at_once, thread_name_prefix="audit-files")
        self._most = at_once + waiting
        self._here = 0

    async def ask(self, question: Question) -> Table | Unanswered:
        if self._here >= self._most:
            return Unanswered(
                code="busy", why="too many questions at once", fix="ask again in a moment"
            )
        self._here += 1
        try:
            async with self._turn:
                return await self._asked(question)
        finally:
            self._here -= 1

    async def _asked(self, question: Question) -> Table | Unanswered:
        began = time.monotonic()
        for _ in range(_TRIES):
            found = await self._found(question)
            if isinstance(found, Unanswered):
                return found
            reply = await self._reply(question, found)
            if isinstance(reply, Failure) and reply.code == "vanished":
                continue  # compacted, or moved to another tier: a fresh list names what it is now
            return _answer(reply, found, time.monotonic() - began)
        why = "files of the audit log that the journal lists are not there"
        return Unanswered(code="unavailable", why=why, fix="run torhaus audit verify")

    async def _found(self, question: Question) -> Found | Unanswered:
        """What is fetched from a bucket when the time is over stays for the next question."""
        loop = asyncio.get_running_loop()
        days = question.first_day, question.last_day
        try:
            async with asyncio.timeout(question.seconds):
                return await loop.run_in_executor(self._finders, self._find, *days)
        except TimeoutError:
            why = f"the day files were not all here within {question.seconds:g} seconds"
            fix = "ask again in a while, or for fewer days"
            return Unanswered(code="timeout", why=why, fix=fix)
        except OSError as error:
            return Unanswered(
                code="unavailable", why=f"the audit log cannot be read: {error.strerror}"
            )

    async def _reply(self, question: Question, found: Found) -> Reply:
        job = Job(
            sql=question.sql,
            segments=found.segments,
            days=found.days,
            rows=question.rows,
            octets=question.octets,
            seconds=question.seconds,
            parameters=question.parameters,
            people=found.people,
            memory=self._memory,
        )
        try:
            data = await _run(msgspec.json.encode(job), question)
        except OSError as error:
            return Failure(code="unavailable", why=f"the sandbox cannot be started: {error}")
        if data is None:
            return Failure(code="timeout", why=f"no answer within {question.seconds:g} seconds")
        if isinstance(data, int):
            log.error("audit.query_not_started", code=data)
            return Failure(code="unavailable", why="the sandbox's process did not start")
        try:
            return msgspec.json.decode(data, type=Rows | Failure)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # Out of memory where nothing could be said any more, or out of processor time.
            log.warning("audit.query_died", octets=len(data))
            return Failure(code="memory", why="this needs more memory or time than a query may use")


def held_back() -> str | None:
    """What the sandbox lacks on this machine, as a sentence; None: nothing."""
    if landlock.version() > 0:
        return None
    return (
        "audit queries run without Landlock, which this kernel does not have or does not allow: "
        "what they may read is held back by DuckDB alone"
    )


async def _run(job: bytes, question: Question) -> bytes | int | None:
    """What the process writes; None when it took too long. It is gone afterwards.

    A number: it wrote nothing, and ended by itself with this code.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", "torhaus.store.query.worker", str(os.getpid())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(question.seconds + GRACE):
            told = await _told(process, job, question.octets + _SLACK)
            if told or await process.wait() <= 0:
                return told
            return process.returncode
    except TimeoutError:
        return None
    finally:
        _kill(process)
        await process.wait()


async def _told(process: asyncio.subprocess.Process, job: bytes, most: int) -> bytes:
    """At most so much of what it writes; more is not its answer."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without pipes")
    process.stdin.write(job)
    process.stdin.close()
    data = bytearray()
    while len(data) <= most and (some := await process.stdout.read(1 << 16)):
        data += some
    return bytes(data) if len(data) <= most else b""


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _answer(reply: Reply, found: Found, seconds: float) -> Table | Unanswered:
    if isinstance(reply, Rows):
        return Table(
            columns=reply.columns,
            types=reply.types,
            rows=reply.rows,
            more=reply.more,
            seconds=round(seconds, 3),
            skipped=found.skipped,
        )
    fixes = {
        "timeout": "ask for fewer days",
        "memory": "ask for fewer days or groups",
        "too_large": "ask for fewer or shorter columns",
    }
    return Unanswered(code=reply.code, why=reply.why, fix=fixes.get(reply.code, ""))
