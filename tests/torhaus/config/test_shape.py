from pydantic import Field

from torhaus.config.schema import File
from torhaus.config.shape import Shape


class Below(Shape):
    """What every door has."""

    wide: int = 1
    """How wide it is."""


class Door(Below):
    """A way in."""

    named: str = Field("", alias="calledSo")
    """What people
    call it."""
    lock: Below = Below()
    """What keeps it shut."""
    silent: int = 0


def test_a_text_below_a_key_describes_it_to_editors() -> None:
    keys = Door.model_json_schema()["properties"]

    assert {key: each.get("description") for key, each in keys.items()} == {
        "wide": "How wide it is.",
        "calledSo": "What people\ncall it.",
        "lock": "What keeps it shut.",
        "silent": None,
    }


def test_a_block_that_is_there_by_itself_is_described_where_it_stands_too() -> None:
    schema = File.model_json_schema()

    assert schema["properties"]["server"]["description"] == (
        "Where Torhaus listens, and whom it hears."
    )
