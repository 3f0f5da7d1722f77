import pytest

from torhaus.config.problems import FaultError
from torhaus.config.secretfields import field_of


def test_a_field_that_is_text_is_found() -> None:
    assert field_of({"a": "1"}, "a", "it") == "1"


@pytest.mark.parametrize("found", [{}, {"a": 1}, {"a": None}, [], "canary", None])
def test_everything_else_is_refused_without_it(found: object) -> None:
    with pytest.raises(FaultError, match="it has no field 'a'") as failed:
        field_of(found, "a", "it")
    assert "canary" not in failed.value.message
