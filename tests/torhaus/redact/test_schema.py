import pytest

from torhaus.redact.schema import is_schema


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"string"}',
        '{ "type" : "string", "minLength": 8 }',
        '{"description":"Your password.","type":"string"}',
        '{"$ref":"#/$defs/Password"}',
    ],
)
def test_the_description_of_a_field_is_a_schema(text: str) -> None:
    assert is_schema(text, 0)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"value":"hunter2"}',
        '{"type":"vault"}',
        '{"type":"string","value":"hunter2"}',
        '{"type":"string","default":"hunter2"}',
        '{"a":{"type":"string"}}',
    ],
)
def test_what_holds_a_value_is_none(text: str) -> None:
    assert not is_schema(text, 0)
