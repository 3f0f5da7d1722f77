"""The log, as a program writes it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import surroundings

PROGRAM = """
import logging, sys, structlog
from torhaus.cli import logs
getattr(logs, sys.argv[1])()
log = structlog.get_logger()
log.debug("some.detail")
log.info("some.thing", said="\\x1b[31mred")
log.warning("some.doubt")
logging.getLogger("asyncio").warning("foreign %s", "words")
try:
    secret_value = "sesame-4711"
    raise ValueError("broken")
except ValueError:
    log.critical("some.trouble", exc_info=True)
"""


def written(tmp_path: Path, manner: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, manner],
        env=surroundings(tmp_path, None),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("manner", "events"),
    [
        ("running", ["some.thing", "some.doubt", "foreign words", "some.trouble"]),
        ("troubles", ["some.doubt", "foreign words", "some.trouble"]),
        ("quiet", ["some.trouble"]),
    ],
)
def test_each_manner_has_its_level(tmp_path: Path, manner: str, events: list[str]) -> None:
    assert [line["event"] for line in written(tmp_path, manner)] == events


def test_a_line_has_time_and_level_and_a_traceback_without_values(tmp_path: Path) -> None:
    last = written(tmp_path, "running")[-1]

    assert last["level"] == "critical"
    assert last["timestamp"].endswith("Z")
    assert "ValueError: broken" in last["exception"]
    assert "locals" not in last


def test_on_a_terminal_it_is_readable_and_cannot_be_driven(tmp_path: Path) -> None:
    text = on_a_terminal(tmp_path, PROGRAM)

    assert "some.thing" in text
    assert "\x1b[31mred" not in text
    assert "\\u001b[31mred" in text
    assert "ValueError: broken" in text
    assert not text.startswith("{")


def test_the_text_of_an_exception_drives_no_terminal(tmp_path: Path) -> None:
    said = PROGRAM.replace('ValueError("broken")', 'ValueError("broken \\x1b[31mred")')

    text = on_a_terminal(tmp_path, said)

    assert "\x1b[31mred" not in text
    assert "ValueError: broken \\u001b[31mred" in text


def on_a_terminal(tmp_path: Path, text: str) -> str:
    """What a program shows somebody who watches."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", text, "running"],
        env=surroundings(tmp_path, {"TERM": "xterm"}),
        stderr=theirs,
    ) as program:
        os.close(theirs)
        shown = _all(ours)
        assert program.wait(60) == 0
    return shown


def _all(terminal: int) -> str:
    found = b""
    with open(terminal, "rb", buffering=0) as stream:
        while True:
            try:
                data = stream.read(4096)
            except OSError:  # Linux says so when the other side is closed
                break
            if not data:
                break
            found += data
    return found.decode()


SECRETIVE = """
import logging, structlog
from torhaus.cli import logs
from torhaus.redact.guard import Guard
logs.running(Guard(["alice-secret-key-abc123"]).text)
log = structlog.get_logger()
SECRET = "alice-secret-key-abc123"
log.info("some.thing", said=f"x{SECRET}y", deep={"a": [(SECRET,)], SECRET: 1}, n=7)
TOKEN = "ghp" + "_A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZa"
log.info("some.other", error=ValueError(SECRET), token=TOKEN)
logging.getLogger("asyncio").warning("foreign %s", SECRET)
try:
    raise ValueError(f"broken by {SECRET}")
except ValueError:
    log.exception("some.trouble")
    logging.getLogger("uvicorn.error").exception("foreign trouble")
"""


def test_no_line_holds_a_secret(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SECRETIVE],
        env=surroundings(tmp_path, None),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(lines) == 5
    assert lines[0]["said"] == "x[redacted:gateway-secret]y"
    assert lines[0]["n"] == 7
    assert lines[1]["token"] == "[redacted:github-token]"
    assert all("[redacted:gateway-secret]" in json.dumps(line) for line in lines)
    assert "alice-secret-key-abc123" not in done.stderr


def test_no_line_on_a_terminal_holds_a_secret(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, SECRETIVE)

    assert "alice-secret-key-abc123" not in shown
    assert shown.count("gateway-secret") >= 5


def test_a_log_on_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM + "print('went on')", "running"],
            env=surroundings(tmp_path, None),
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.stdout == "went on\n"
