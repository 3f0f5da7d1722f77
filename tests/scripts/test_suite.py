"""A second try for the few tests that failed, and for nothing else."""

from pathlib import Path

import pytest
from scripts.suite import MOST, run

PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert False\n"
# Fails once; and leaves its mark at each run.
STUMBLES = """
from pathlib import Path
def test_stumbles():
    with Path("runs").open("a") as file:
        file.write("x")
    assert Path("runs").read_text() != "x"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return tmp_path


def ran(place: Path, tests: str, *, tries: int = 2) -> int:
    (place / "test_it.py").write_text(tests)
    return run(["-n", "2", "test_it.py"], tries=tries)


def test_what_passes_alone_is_named_and_fails_nothing(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran(place, PASSES + STUMBLES) == 0

    said = capfd.readouterr().out
    assert "1 failed beside others and passed alone:\n  test_it.py::test_stumbles" in said
    assert (place / "runs").read_text() == "xx"


def test_what_fails_twice_fails(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(place, PASSES + STUMBLES + FAILS) == 1

    said = capfd.readouterr().out
    assert said.count("test_it.py::test_fails - assert False") == 2
    assert "1 failed beside others and passed alone:\n  test_it.py::test_stumbles" in said


def test_many_failures_have_no_second_try(place: Path) -> None:
    many = "".join(FAILS.replace("fails", f"fails_{n}") for n in range(MOST))

    assert ran(place, STUMBLES + many) == 1
    assert (place / "runs").read_text() == "x"


@pytest.mark.parametrize("tests", ["raise SystemExit\n", "def test_it(:\n"])
def test_a_file_that_cannot_be_read_fails(
    place: Path, tests: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran(place, tests) != 0
    assert "passed alone" not in capfd.readouterr().out


def test_one_try_if_wanted(place: Path) -> None:
    assert ran(place, STUMBLES, tries=1) == 1
    assert (place / "runs").read_text() == "x"


def test_failures_of_another_day_are_not_tried(place: Path) -> None:
    assert ran(place, FAILS) == 1

    assert ran(place, PASSES) == 0
