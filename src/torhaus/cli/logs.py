"""The log: readable on a terminal, a line of JSON otherwise, always on standard error."""

import io
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from torhaus.cli.output import printable

Mask = Callable[[str], str]
"""Takes secrets out of a text; `str` leaves it as it is."""


def quiet() -> None:
    """For commands that answer for themselves: only what is broken in Torhaus is logged."""
    _configure(logging.CRITICAL)


def troubles(mask: Mask = str) -> None:
    """For a gateway that somebody watches: what goes wrong."""
    _configure(logging.WARNING, mask)


def running(mask: Mask = str) -> None:
    """For a gateway that runs for long."""
    _configure(logging.INFO, mask)


class _Forgiving:
    """A stream that loses what its disk does not take: no line of a log is worth a call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _configure(level: int, mask: Mask = str) -> None:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_endings(mask)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Forgiving(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    # Libraries speak through the standard module: asyncio, and uvicorn when something breaks.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_endings(mask),
            ],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _endings(mask: Mask) -> list[Processor]:
    """How one event becomes one text. Tracebacks never show the values of variables.

    Secrets are masked twice: in each value, and in the line, where tracebacks are text as well.
    """

    def masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {
            name: value if name == "exc_info" else _masked(value, mask)
            for name, value in event.items()
        }

    def whole(_logger: WrappedLogger, _method: str, line: Any) -> str:
        return mask(str(line))

    if not sys.stderr.isatty():
        told: list[Processor] = [structlog.processors.format_exc_info, masked]
        return [*told, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(exception_formatter=_traceback)
    return [_fit_for_a_terminal, masked, console, whole]


def _masked(value: Any, mask: Mask) -> Any:
    """A value with its texts masked, at any depth. What is no text is shown as its text."""
    match value:
        case str():
            return mask(value)
        case None | bool() | int() | float():
            return value
        case dict():
            return {mask(str(key)): _masked(each, mask) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(each, mask) for each in value]
        case _:
            return mask(repr(value))


def _fit_for_a_terminal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Values come from servers and files, and could drive the terminal."""
    return {
        name: printable(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _traceback(target: TextIO, error: ExcInfo) -> None:
    """So can the texts of exceptions."""
    own = io.StringIO()
    structlog.dev.plain_traceback(own, error)
    target.write(printable(own.getvalue()))
