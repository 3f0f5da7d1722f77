"""`torhaus config schema`: what editors need to help with the file."""

from torhaus.cli.output import say_json
from torhaus.config.schema import schema_json


def schema() -> None:
    """Print the configuration's JSON Schema, for editors."""
    say_json(schema_json())
