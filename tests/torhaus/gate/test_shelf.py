from typing import Any

import msgspec

from tests.torhaus.cast import NOW, github, run
from tests.torhaus.scripted import dumps
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.shelf import Shelf

READ = {"name": "issue_read", "annotations": {"readOnlyHint": True}}
STRICT = msgspec.structs.replace(github(), drift_new="quarantine")


async def nothing() -> None:
    """Nothing to write."""


def shelf(*lists: list[dict[str, Any]]) -> Shelf:
    catalogue = Catalogue()
    for tools in lists:
        catalogue.learn(github(), [dumps({"tools": tools})], NOW)
    return Shelf(catalogue, nothing)


def test_every_tool_that_is_listed_or_was_ever_pinned_is_there():
    found = shelf([READ, {"name": "b"}], [READ, {"name": "a"}]).entries(STRICT)

    assert [(each.judged.name, each.standing) for each in found] == [
        ("a", "new"),
        ("b", "gone"),
        ("issue_read", "accepted"),
    ]
    assert found[0].deny is not None
    assert found[2].deny is None


def test_findings_of_a_tool_are_those_of_its_list():
    icons = {"name": "a", "_meta": {"x": "y\u200b"}}

    (found,) = shelf([icons]).entries(github())

    assert [each.code for each in found.findings] == ["hidden"]


def test_a_tool_that_is_withheld_says_why():
    entry = shelf([{"name": "a\u200b"}]).entry(github(), "a\u200b")

    assert entry is not None
    assert (entry.standing, entry.pin) == ("withheld", None)
    assert "hidden characters" in (entry.withheld or "")


def test_what_was_never_listed_is_not_there():
    assert shelf([READ]).entry(github(), "other") is None
    assert shelf([READ]).pin(github(), "other") is None
    assert shelf().entries(github()) == []


def test_it_writes_before_somebody_decides():
    written: list[str] = []

    async def save() -> None:
        written.append("written")

    async def story() -> None:
        await Shelf(Catalogue(), save).saved()

    run(story())

    assert written == ["written"]
