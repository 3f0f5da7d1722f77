"""Whatever is of the wrong kind says what to write."""

import json
from pathlib import Path

import pytest
import yaml

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.source import read
from torhaus.config.tree import Node, spelled
from torhaus.config.validate import validate

EVERYTHING = Path(__file__).parent / "everything"

WRONG = (
    Node(1, 3.5),
    Node(1, "nonsense!"),
    Node(1, value=True),
    Node(1, [Node(1, 3.5)]),
    Node(1, {"nonsense": Node(1, 3.5)}),
)


@pytest.mark.parametrize("name", ["house", "rules"])
def test_whatever_is_of_the_wrong_kind_is_told_what_to_write(name: str) -> None:
    said = yaml.safe_load((EVERYTHING / f"{name}.yml").read_text())
    source = read(json.dumps(said, indent=1, default=str), name)  # without anchors
    vague, told = [], 0

    for path, node in list(source.root.walk()):
        kept = node.value
        for wrong in WRONG:
            node.value = wrong.value
            source.problems.clear()
            validate(source)
            told += len(source.problems)
            vague += [(spelled(path), p) for p in source.problems if p.fix == "correct the value"]
        node.value = kept

    assert vague == []
    assert told > 1000


def test_what_follows_from_a_file_that_cannot_be_read_is_not_said_again(tmp_path: Path) -> None:
    text = "auth:\n  saml: {metadata_file: none.xml, email_attribute: mail}\n"

    with pytest.raises(ConfigError) as error:
        load_text(text, str(tmp_path / "a.yml"), {})

    assert [each.path for each in error.value.problems] == ["auth.saml.metadata_file"]


@pytest.mark.parametrize("written", ["maybe", "3.5", "[true]", "{a: true}"])
def test_what_is_neither_true_nor_false_is_told_so(written: str) -> None:
    source = read(f"auth:\n  local:\n    enabled: {written}\n", "a.yml")

    validate(source)

    (problem,) = source.problems
    assert (problem.line, problem.path) == (3, "auth.local.enabled")
    assert problem.message == "this must be true or false"
    assert problem.fix == "write true or false"
