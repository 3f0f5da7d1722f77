import json
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.config.summary import CASES
from torhaus.config.schema import File, schema_json
from torhaus.config.source import read


def blocks() -> list[dict[str, Any]]:
    schema = schema_json()
    return [schema, *schema["$defs"].values()]


def test_it_is_json_schema_2020_12_for_the_whole_file() -> None:
    schema = json.loads(json.dumps(schema_json()))

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) == set(File.model_fields)


def test_every_key_has_a_description_and_unknown_keys_are_marked() -> None:
    schema = schema_json()
    for block in [schema, *filter(None, schema["$defs"].values())]:  # an empty one is any JSON
        # Of keys that are names, every one has a shape too: servers, tools.
        further = block["additionalProperties"]
        assert further is False or "$ref" in further or further["type"] == "object"
        for name, key in block["properties"].items():
            shared = schema["$defs"].get(key.get("$ref", "").rpartition("/")[2], {})
            assert key.get("description") or shared.get("description"), name


def test_every_reference_leads_somewhere() -> None:
    schema = schema_json()
    text = json.dumps(schema)

    for name in schema["$defs"]:
        assert f'"#/$defs/{name}"' in text
    assert text.count('"$ref"') == sum(text.count(f'"#/$defs/{name}"') for name in schema["$defs"])


def test_variables_are_no_mistake_where_numbers_belong() -> None:
    port = schema_json()["$defs"]["ServerSettings"]["properties"]["port"]

    assert {"type": "string", "pattern": r"\$\{"} in port["anyOf"]


def test_an_editor_finds_nothing_wrong_with_the_teams_example() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="comes with the MCP SDK")
    example = Path(__file__).parents[3] / "examples" / "team.yml"
    source = read(example.read_text(), "team.yml")

    found = list(jsonschema.Draft202012Validator(schema_json()).iter_errors(source.root.plain()))

    assert found == []


@pytest.mark.parametrize(("name", "mistakes"), [("director", 0), ("team", 0), ("mistakes", 5)])
def test_an_editor_agrees_with_the_loader(name: str, mistakes: int) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="comes with the MCP SDK")
    validator = jsonschema.Draft202012Validator(schema_json())
    validator.check_schema(schema_json())
    source = read((CASES / f"{name}.yml").read_text(), name)

    found = list(validator.iter_errors(source.root.plain()))

    assert len(found) == mistakes, found
