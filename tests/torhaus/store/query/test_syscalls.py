import platform
from pathlib import Path

import pytest

from tests.torhaus.store.query.doors import HARMLESS, worked
from torhaus.store.query.syscalls import _FORBIDDEN, _MACHINES, _program

here = platform.machine()
known = pytest.mark.skipif(here not in _MACHINES, reason=f"no numbers for {here}")


@known
def test_on_a_kernel_without_landlock_still_nothing_is_written_or_sent(tmp_path: Path) -> None:
    assert worked("syscalls", tmp_path) == HARMLESS | {
        "read another",
        "read another in a thread",
        "read the parent's environment",
    }


@pytest.mark.parametrize("machine", _MACHINES)
def test_every_jump_stays_inside_the_program(machine: str) -> None:
    lines = _program(machine)

    for at, (_, if_true, if_false, _) in enumerate(lines):
        assert at + max(if_true, if_false) + 1 <= len(lines)
    assert lines[-1][0] == 0x06


def test_no_number_stands_for_two_calls() -> None:
    for which in (0, 1):
        numbers = [pair[which] for pair in _FORBIDDEN.values() if pair[which] is not None]

        assert len(numbers) == len(set(numbers))
