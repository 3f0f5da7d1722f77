"""`torhaus config schema`."""

from pathlib import Path

from tests.torhaus.cli.terminal import torhaus


def test_it_is_a_json_schema_of_the_file(tmp_path: Path) -> None:
    said = torhaus("config", "schema", at=tmp_path)

    assert said.code == 0
    assert said.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"server", "mcpServers", "accessControl", "users"} <= set(said.json()["properties"])
