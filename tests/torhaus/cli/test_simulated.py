"""Rules without a gateway: lent variables, moments."""

import pytest
import typer

from torhaus.cli.simulated import Lent, instant


def test_variables_that_are_not_set_are_lent_and_named() -> None:
    lent = Lent({"SET": "yes"})

    assert "UNSET" in lent
    assert (lent.get("SET", ""), lent.get("UNSET", "")) == ("yes", "placeholder-for-UNSET")
    assert list(lent.missing) == ["UNSET"]


def test_a_default_of_the_file_goes_before_a_placeholder() -> None:
    lent = Lent({})

    assert (lent.get("UNSET") or "default") == "default"
    assert lent.get("PATH", "/bin") == "/bin"
    assert list(lent.missing) == []


def test_a_moment_without_an_offset_is_in_the_zone_of_the_file() -> None:
    assert instant("2025-07-01T12:00", "Europe/Berlin", 0.0) == 1751364000.0
    assert instant("2025-07-01T12:00+02:00", "UTC", 0.0) == 1751364000.0
    assert instant("2025-07-01T10:00:00Z", "Europe/Berlin", 0.0) == 1751364000.0
    assert instant("2025-07-01", "Europe/Berlin", 0.0) == 1751320800.0
    assert instant(None, "UTC", 7.0) == 7.0


def test_another_text_is_no_moment() -> None:
    with pytest.raises(typer.Exit):
        instant("tomorrow", "UTC", 0.0)
