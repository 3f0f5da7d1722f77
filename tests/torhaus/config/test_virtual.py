import pytest
from pydantic import ValidationError

from torhaus.config.virtual import AggregateSpec, VirtualServerSpec


def test_a_list_waits_for_some_time_but_not_for_ever():
    assert AggregateSpec(deadline="2s").deadline == 2.0
    for wrong in ("0s", "2m"):
        with pytest.raises(ValidationError):
            AggregateSpec(deadline=wrong)


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a__b", "ä"])
def test_a_new_name_is_one_that_models_take(name: str):
    assert VirtualServerSpec(rename={"docs__a": "a_b"}).rename == {"docs__a": "a_b"}
    with pytest.raises(ValidationError):
        VirtualServerSpec(rename={"docs__a": name})
