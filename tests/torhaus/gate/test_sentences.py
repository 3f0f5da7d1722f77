"""A sentence as a tool's result, or as an error."""

import json

import pytest

from torhaus.gate.sentences import sentence
from torhaus.model.servers import Era

ABOUT = ("torhaus/why", {"url": "https://gw.example/1"})


@pytest.mark.parametrize(("era", "more"), [(Era.LEGACY, None), (Era.MODERN, "complete")])
def test_a_model_reads_it_in_the_result_of_a_tool(era: Era, more: str | None) -> None:
    told = sentence("tools/call", era, -32000, "Not now.", ABOUT)

    assert told.error is None
    said = json.loads(told.result or b"")
    assert said["content"] == [{"type": "text", "text": "Not now."}]
    assert said["isError"] is True
    assert said["_meta"] == {"torhaus/why": {"url": "https://gw.example/1"}}
    assert said.get("resultType") == more


def test_of_other_methods_it_is_an_error_with_the_same_for_programs() -> None:
    told = sentence("prompts/get", Era.MODERN, -32000, "Not now.", ABOUT)

    assert told.result is None
    said = json.loads(told.error or b"")
    assert said == {"code": -32000, "message": "Not now.", "data": ABOUT[1]}


def test_where_nothing_is_known_besides_nothing_is_said() -> None:
    assert "_meta" not in json.loads(sentence("tools/call", Era.LEGACY, 1, "No.").result or b"")
    assert "data" not in json.loads(sentence("tools/list", Era.LEGACY, 1, "No.").error or b"")
