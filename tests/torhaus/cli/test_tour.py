"""The two calls a newcomer sees; the rest is in test_demo.py."""

from pathlib import Path

import msgspec
import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import KEY
from torhaus.cli.tour import Tour
from torhaus.config.load import Loaded, load

OLGA = "olga-secret-key-def456"


def loaded(gate: Gate) -> Loaded:
    return load(gate.home / "torhaus.yml", {}, gate.data)


def test_a_call_is_shown_with_its_answer_and_its_record(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    Tour(loaded(gate), gate.url, KEY).read()

    out = capsys.readouterr().out
    assert out.startswith("A call through the gate\n  request  time.get_current_time ")
    assert "| alice@example.com | time.get_current_time |" in out


def test_a_write_that_the_rules_would_allow_is_never_made(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    Tour(loaded(gate), gate.url, OLGA).refused()

    assert capsys.readouterr().out == ""


def test_a_key_that_nobody_has_belongs_to_nobody(gate: Gate) -> None:
    assert Tour(loaded(gate), gate.url, "nobody").principal is None


def test_a_gateway_that_is_gone_is_told(
    gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = msgspec.structs.replace(loaded(gate).settings, data_dir=tmp_path)
    tour = Tour(
        msgspec.structs.replace(loaded(gate), settings=elsewhere), "http://127.0.0.1:1", KEY
    )

    tour.read()

    out = capsys.readouterr().out
    assert "answer   nothing answers at http://127.0.0.1:1" in out
    assert "(none: the call never reached the gate)" in out
