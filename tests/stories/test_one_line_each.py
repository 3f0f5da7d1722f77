"""What callers write can break no line of the log: in segments, on a terminal, in spreadsheets."""

import csv
import json
from collections.abc import Iterator

import pytest

from tests.stories.caller import legacy
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.cli.terminal import torhaus

PAYLOADS = [
    "a\r\nb",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\u202eevil\u202c \u2066x\u2069",
    "line\u2028para\u2029next\x85",
    '"},"result":{"status":"success"}}\n{"timestamp":"x',
    '=cmd|"/c calc"!A1',
    "+1+1\t@SUM(A1)",
    '-1","x"\r\n"y',
    "a | b | c\\u000a\\n",
    "\x00\x01\x7f\ufeff\u200b\U000e0041",
]


@pytest.fixture(scope="module")
def lined(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config = {"mcpServers": {"scripted": server(upstream.url)}}
    with Town(config, tmp_path_factory.mktemp("lined")) as running:
        yield running


def test_each_payload_leaves_one_well_formed_line_everywhere(lined: Town) -> None:
    with lined.caller() as caller:
        caller.begin()  # in a session, no header repeats the tool's name
        for number, payload in enumerate(PAYLOADS):
            answer = caller.tool("get_note", {"number": number, "said": payload, payload: 1})
            assert answer.status == 200
            caller.tool(f"get_{payload}", {"number": number})
    with lined.caller() as caller:
        info = {"name": PAYLOADS[0], "version": PAYLOADS[1]}
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
        caller.ask(legacy("initialize", hello))
    count = 2 * len(PAYLOADS) + 2
    assert within(60, lambda: lined.count() >= count)

    records = lined.records()
    assert len(records) == count
    lines = [
        line
        for path in sorted((lined.data / "audit" / "hot").glob("*.jsonl"))
        for line in path.read_bytes().split(b"\n")[:-1]
    ]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert all(b"\r" not in line and b"\x1b" not in line for line in lines)

    shown = torhaus("audit", "tail", "-n", "1000", at=lined.home).out
    assert len(shown.splitlines()) == len(shown.split("\n")) - 1
    assert len([line for line in shown.splitlines() if "alice@example.com" in line]) == count
    assert all(each.isprintable() for each in shown.split("\n"))
    assert all(line.count(" | ") in (3, 4) for line in shown.splitlines())

    sheet = lined.home / "log.csv"
    out = ("--out", str(sheet))
    assert torhaus("audit", "export", "--format", "csv", *out, at=lined.home).code == 0
    raw = sheet.read_bytes().decode()
    rows = list(csv.reader(raw.split("\r\n")[:-1]))
    assert len([row for row in rows if "alice@example.com" in row]) == count
    assert {len(row) for row in rows} == {len(rows[0])}
    assert raw.replace("\r\n", "").isprintable()
    assert not any(cell[:1] in "=+-@\t\r\n" for row in rows for cell in row if cell)


def test_what_was_said_is_kept_as_it_was_said(lined: Town) -> None:
    with lined.caller() as caller:
        before = lined.count()
        for payload in PAYLOADS:
            caller.tool("get_note", {"said": payload})
        assert within(60, lambda: lined.count() == before + len(PAYLOADS))

    kept = [each["parameters"]["said"] for each in lined.records()[before:]]
    assert kept == PAYLOADS
