import pytest

from torhaus.config.problems import FaultError
from torhaus.config.texts import header_name, header_value, line, token


@pytest.mark.parametrize("value", ["ghp_x\n", "a\r\nX: y", "a\0", "tök", "a\x7f", "", " a", "a "])
def test_header_values_that_could_break_out_are_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(FaultError) as caught:
        header_value(value)
    assert "ghp_x" not in caught.value.message + caught.value.fix


def test_a_token_has_no_spaces() -> None:
    assert token("ghp_abc-123") == "ghp_abc-123"
    with pytest.raises(FaultError, match="no spaces"):
        token("two words")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\n", "ä", "x" * 200])
def test_what_is_not_a_header_name_is_refused(name: str) -> None:
    with pytest.raises(FaultError):
        header_name(name)


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\u2028b", "\x1b[31m"])
def test_one_line_of_text_is_visible_text(value: str) -> None:
    with pytest.raises(FaultError):
        line(value)
