"""The log: readable on a terminal, a line of JSON otherwise, always on standard error."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from torhaus.cli.output import printable


def quiet() -> None:
    """For commands that answer for themselves: only what is broken in Torhaus is logged."""
    _configure(logging.CRITICAL)


def troubles() -> None:
    """For a gateway that somebody watches: what goes wrong."""
    _configure(logging.WARNING)


def running() -> None:
    """For a gateway that runs for long."""
    _configure(logging.INFO)


def _configure(level: int) -> None:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_endings()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries speak through the standard module: asyncio, and uvicorn when something breaks.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_endings()],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _endings() -> list[Processor]:
    """How one event becomes one text. Tracebacks never show the values of variables."""
    if not sys.stderr.isatty():
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        _fit_for_a_terminal,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]


def _fit_for_a_terminal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Values come from servers and files, and could drive the terminal."""
    return {
        name: printable(value) if isinstance(value, str) else value for name, value in event.items()
    }
