import re
from pathlib import Path

from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run
from torhaus.api.documentation import page


def test_the_page_names_every_path_and_loads_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        answer = await at.ask("GET", "/api/docs")
        paths = (await at.get("openapi.json")).json["paths"]

        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert all(path in answer.text for path in paths)
        assert "<script" not in answer.text
        assert re.findall(r"(?:src|href)=\"([^\"]*)\"", answer.text) == ["/api/v1/openapi.json"]

    run(play(tmp_path, story))


def test_what_is_described_is_escaped() -> None:
    schema = {
        "info": {"title": "<b>", "version": "1"},
        "paths": {
            "/<i>": {
                "get": {
                    "description": "<u>",
                    "parameters": [{"name": "<q>", "schema": {"type": "string"}}],
                    "responses": {"200": {}},
                }
            }
        },
    }

    said = page(schema)

    assert not any(tag in said for tag in ("<b>", "<i>", "<u>", "<q>"))
    assert "&lt;q&gt;" in said
