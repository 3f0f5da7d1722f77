"""`torhaus limits`, against a running gateway."""

from pathlib import Path

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import keeping, said, status
from tests.torhaus.cli.terminal import KEY


def test_what_is_left_is_told(tmp_path: Path) -> None:
    with keeping(tmp_path) as gate:
        before = said(gate, "limits", key=KEY)
        status(gate, "a")
        after = said(gate, "limits", key=KEY)
        (found,) = said(gate, "limits", "--json", key=KEY).json()

    assert before.out == "team: 100 calls per hour  100 left\n"
    assert after.out.startswith("team: 100 calls per hour  99 left  more in about 60 minutes")
    assert (found["limit"], found["remaining"]) == ("team: 100 calls per hour", 99)


def test_without_limits_it_says_so(gate: Gate) -> None:
    told = said(gate, "limits", key=KEY)

    assert (told.code, told.out) == (0, "No limits hold for you.\n")
