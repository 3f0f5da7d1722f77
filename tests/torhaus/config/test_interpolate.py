from pathlib import Path

import pytest

from torhaus.config.interpolate import interpolate, read_files
from torhaus.config.source import read

ENVIRON = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}", "GITHUB_TOKEN": "secret"}

GOOD = [
    ("${NAME}", "value"),
    ("a-${NAME}-${NAME}", "a-value-value"),
    ("${MISSING:-other}", "other"),
    ("${EMPTY:-other}", "other"),
    ("${MISSING:-}", ""),
    ("${EMPTY}", ""),
    ("${NESTED}", "${NAME}"),
    ("$${NAME}", "${NAME}"),
    ("$NAME $ {NAME}", "$NAME $ {NAME}"),
    ("${MISSING:-a:-b}", "a:-b"),
]

BAD = [
    ("${MISSING}", "MISSING is not set", "export MISSING"),
    ("${GITHUB_TOKN}", "GITHUB_TOKN is not set", "did you mean ${GITHUB_TOKEN}?"),
    ("${}", "without a name", "${NAME}"),
    ("${1A}", "without a name", "${NAME}"),
    ("${NAME", "without a name", "${NAME}"),
    ("${A:-${B}}", "without a name", "nesting"),
    ("${NAME-x}", "without a name", "${NAME:-default}"),
]


@pytest.mark.parametrize(("text", "value"), GOOD)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_references_are_replaced_once(text: str, value: str, quote: str) -> None:
    source = read(f"a: {quote}{text}{quote}", "t.yml")

    interpolate(source, ENVIRON)

    assert source.root.plain() == {"a": value}
    assert source.problems == []


def test_a_replaced_value_stays_text() -> None:
    source = read("a: ${PORT}\nb: ${NULL}\nc: ${LIST}", "t.yml")

    interpolate(source, {"PORT": "8080", "NULL": "null", "LIST": "[x, y]\nz: 1"})

    assert source.root.plain() == {"a": "8080", "b": "null", "c": "[x, y]\nz: 1"}


@pytest.mark.parametrize(("text", "message", "fix"), BAD)
def test_a_bad_reference_names_its_line_and_a_way_out(text: str, message: str, fix: str) -> None:
    source = read(f"a: 1\nb:\n  - '{text}'", "t.yml")

    interpolate(source, ENVIRON)

    (problem,) = source.problems
    assert (problem.line, problem.path) == (3, "b[0]")
    assert message in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize("value", ["a\0b", "\udcff"])
def test_a_variable_that_is_not_text_is_refused(value: str) -> None:
    source = read("a: ${X}", "t.yml")

    interpolate(source, {"X": value})

    assert "NUL or is not UTF-8" in source.problems[0].message


def test_secrets_come_from_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "keys").write_text("# Alice\nkey-one\n\n  key-two\n")
    text = """
mcpServers: {a: {auth: {token_file: token}}}
users: [{api_keys_file: keys}]
"""
    source = read(text, str(tmp_path / "t.yml"))

    read_files(source)

    assert source.root.plain() == {
        "mcpServers": {"a": {"auth": {"token": "from-file"}}},
        "users": [{"api_keys": ["key-one", "key-two"]}],
    }


def test_only_known_places_read_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    text = "mcpServers: {a: {env: {token_file: token}, token_file: token}}"
    source = read(text, str(tmp_path / "t.yml"))

    read_files(source)

    assert source.root.plain() == {
        "mcpServers": {"a": {"env": {"token_file": "token"}, "token_file": "token"}}
    }


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (None, "", "cannot be read: No such file"),
        (b"\xff", "", "not a text file"),
        (b"x" * 70_000, "", "larger than 64 KiB"),
        (b"a\0b", "", "NUL"),
        (b"x", ", token: y", "token and token_file are both given"),
    ],
)
def test_a_bad_secret_file_is_refused(
    tmp_path: Path, content: bytes | None, more: str, message: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    text = f"mcpServers:\n  a:\n    auth: {{token_file: token{more}}}"
    source = read(text, str(tmp_path / "t.yml"))

    read_files(source)

    (problem,) = source.problems
    assert (problem.line, problem.path) == (3, "mcpServers.a.auth.token_file")
    assert message in problem.message
