"""`rotation`."""

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.vault import Rotation


def rotation(text: str) -> Rotation:
    return load_text(text, "t.yml", {}).rules.rotation


def test_without_a_word_people_are_told_and_nothing_is_blocked() -> None:
    day = 86400.0

    assert rotation("users: []\n") == Rotation(
        warn=80 * day, limit=90 * day, enforce=False, grace=7 * day
    )


def test_every_key_has_its_effect() -> None:
    found = rotation("rotation: {warn: 20d, limit: 30d, enforce: true, grace: 0}\n")

    assert found == Rotation(warn=20 * 86400.0, limit=30 * 86400.0, enforce=True, grace=0.0)


@pytest.mark.parametrize("text", ["{warn: 91d}", "{limit: 1m}", "{enforce: maybe}", "{days: 9}"])
def test_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        rotation(f"rotation: {text}\n")
