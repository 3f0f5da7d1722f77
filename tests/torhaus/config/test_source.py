import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.config.problems import ConfigError
from torhaus.config.source import MAX_CHARS, read, scalar

CORE_SCHEMA = [
    ("", None), ("~", None), ("null", None), ("true", True), ("False", False),
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("017", 17), ("0o17", 15), ("0x1F", 31),
    ("10:00", "10:00"), ("2025-12-31", "2025-12-31"), ("1_000", "1_000"), ("-3", -3),
    ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), (".inf", ".inf"), (".nan", ".nan"),
    ("\u0663", "\u0663"),
]  # fmt: skip

REFUSED = [
    ("a: 1\na: 2", 2, "twice", "a"),
    ("x:\n  a: 1\n  b: 2\n  'a': 3", 4, "twice, first on line 2", "x.a"),
    ("a: &x 1", 1, "anchors", "a"),
    ("a: [1]\nb: *a", 2, "aliases", "b"),
    ("a: !!str 1", 1, "tags", "a"),
    ("a: !!python/object:os.system x", 1, "tags", "a"),
    ("a: ! x", 1, "tags", "a"),
    ("a:\n  <<: {b: 1}", 2, "merge keys", "a"),
    ("a: 1\n---\nb: 2", 2, "second document", ""),
    ("? [a]\n: 1", 1, "plain text", ""),
    ("notify:\n  - slack: #ops-alerts\n  - x: 1", 2, "#ops-alerts is read as a comment", "slack"),
    ("notify:\n  - #ops\n", 2, "#ops is read as a comment", "notify[0]"),
    ("a:\n\tb: 1", 2, "not YAML", ""),
    ("a: 1\nb: [1, 2", 2, "not YAML", "b"),
    ("a: b: c", 1, "not YAML", ""),
    ('a: "\\0"', 1, "NUL", "a"),
    ('a: "\\ud800"', 1, "surrogate", "a"),
    ("a: 1\nb: \x01", 2, "not YAML", ""),
    ('a: "\\U00110000"', None, "not YAML", ""),
]


@pytest.mark.parametrize(("text", "value"), CORE_SCHEMA)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    read_value = scalar(text)

    assert (read_value, type(read_value)) == (value, type(value))


@pytest.mark.parametrize(("text", "line", "message", "path"), REFUSED)
def test_what_is_not_strict_yaml_is_refused(
    text: str, line: int | None, message: str, path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, "t.yml")

    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("t.yml", line)
    assert message in problem.message
    assert path in problem.path
    assert problem.fix


def test_all_structural_mistakes_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read("a: &x 1\nb: *x\nc: !t 1\nc: 2\n", "t.yml")

    assert [problem.line for problem in caught.value.problems] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000])
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    before = time.process_time()

    with pytest.raises(ConfigError, match="nested more than 32 deep"):
        read(text, "t.yml")
    # ruamel alone needs three minutes for 100,000 brackets.
    assert time.process_time() - before < 10


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="larger than 2 MiB"):
        read("#" * (MAX_CHARS + 1), "t.yml")


def test_values_know_their_lines() -> None:
    source = read("# top\na:\n  b:\n    - x\n    - y: 1\n", "t.yml")

    assert source.root.plain() == {"a": {"b": ["x", {"y": 1}]}}
    assert source.line(("a",)) == 2
    assert source.line(("a", "b", 0)) == 4
    assert source.line(("a", "b", 1, "y")) == 5
    assert source.line(("a", "b", 1, "missing", "deeper")) == 5
    assert source.line(()) == 2


def test_a_byte_order_mark_is_no_content() -> None:
    assert read("\ufeffa: 1", "t.yml").root.plain() == {"a": 1}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    problems = [""]
    try:
        read(text, "t.yml").root.plain()
    except ConfigError as error:
        problems = [problem.message for problem in error.problems]
    assert problems
