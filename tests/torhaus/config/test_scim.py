import pytest
from pydantic import ValidationError

from torhaus.config.scim import ScimSpec


def test_a_source_needs_a_name_and_a_token() -> None:
    found = ScimSpec.model_validate({"name": "okta", "token": "x" * 32, "groups": {"a": "dev"}})

    assert found.groups["a"].roles == ("dev",)
    assert found.rate == 1500
    for wrong in ({"name": "okta"}, {"token": "x"}, {"name": "Okta", "token": "x"}):
        with pytest.raises((ValidationError, ValueError)):
            ScimSpec.model_validate(wrong)
