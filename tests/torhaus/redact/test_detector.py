import re

import pytest

from torhaus.redact.detector import always, holds, marks, reading, words


@pytest.mark.parametrize("text", ["Straße", "İSTANBUL password", "ǅ K ﬀ", "", "😀A"])
def test_small_letters_stand_where_the_large_ones_stood(text: str) -> None:
    read = reading(text)

    assert read.text is text
    assert len(read.low) == len(text)


def test_gates_look_for_words_characters_and_patterns() -> None:
    text = reading("a Bearer eyJ_x")

    assert words("nothing", "bearer")(text)
    assert not words("basic")(text)
    assert holds("eyJ")(text)
    assert not holds("EYJ")(text)
    assert marks(re.compile("_(?<=J_)"))(text)
    assert not marks(re.compile("_(?<=K_)"))(text)
    assert always(reading(""))
