"""`torhaus call`: through a real gateway, to a real server."""

import json
from pathlib import Path

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import KEY, Said, torhaus
from torhaus.cli.call import words

OLGA = "olga-secret-key-def456"


def call(gate: Gate, *more: str, key: str = KEY, typed: str | None = None) -> Said:
    env = {"TORHAUS_KEY": key}
    return torhaus("call", *more, "--url", gate.url, at=gate.home, env=env, typed=typed)


def test_the_answer_is_printed(gate: Gate, tmp_path: Path) -> None:
    said = call(gate, "git", "git_status", "--args", '{"repo_path": "x"}')

    assert (said.code, said.out, said.err) == (0, '{"repo_path": "x"}\n', "")


def test_the_gateway_is_found_by_the_variable_of_all_commands(gate: Gate) -> None:
    env = {"TORHAUS_KEY": KEY, "TORHAUS_URL": gate.url}

    said = torhaus("call", "git", "git_status", at=gate.home, env=env)

    assert (said.code, said.out) == (0, "{}\n")


def test_arguments_come_from_standard_input(gate: Gate) -> None:
    said = call(gate, "git", "git_status", "--args", "-", typed='{"deep": [1, {"ü": null}]}')

    assert json.loads(said.out) == {"deep": [1, {"ü": None}]}


def test_json_is_the_whole_result(gate: Gate) -> None:
    said = call(gate, "git", "git_status", "--json")

    assert said.json()["content"] == [{"type": "text", "text": "{}"}]


def test_a_refusal_is_exit_code_1_with_its_reason_on_standard_error(gate: Gate) -> None:
    said = call(gate, "git", "git_commit")

    assert (said.code, said.out) == (1, "")
    assert "`git_commit` on git is a write" in said.err
    assert "alice@example.com's role developer allows git.read" in said.err


def test_an_error_of_the_tool_is_exit_code_1(gate: Gate) -> None:
    said = call(gate, "git", "fail", "--args", '{"a": 1}', key=OLGA)

    assert (said.code, said.out, said.err) == (1, "", '{"a": 1}\n')


def test_json_of_a_refusal_is_on_standard_output_and_still_exit_code_1(gate: Gate) -> None:
    said = call(gate, "git", "git_commit", "--json")

    assert said.code == 1
    assert said.json()["isError"] is True
    assert "torhaus/verdict" in said.json()["_meta"]


@pytest.mark.parametrize(
    ("more", "key", "sentence"),
    [
        (["git", "git_status"], "wrong", "the key is not valid here"),
        (["git", "git_status"], "", "no credential was sent"),
        (["nowhere", "x"], KEY, "there is no server 'nowhere' here"),
        (["../health", "x"], KEY, "there is no server"),
    ],
)
def test_what_the_gateway_says_to_no_is_passed_on(
    gate: Gate, more: list[str], key: str, sentence: str
) -> None:
    said = call(gate, *more, key=key)

    assert (said.code, said.out) == (1, "")
    assert sentence in said.err


def test_a_key_on_the_command_line_goes_before_the_environment(gate: Gate) -> None:
    assert call(gate, "git", "git_status", "--key", KEY, key="wrong").code == 0


@pytest.mark.parametrize("text", ["{", "[1]", "7", '"x"', "[" * 100_000])
def test_arguments_that_are_no_object_are_wrong_use(gate: Gate, text: str) -> None:
    said = call(gate, "git", "git_status", "--args", "-", typed=text)

    assert said.code == 2
    assert said.err.startswith("--args ")
    assert "Traceback" not in said.err


def test_nobody_at_the_address_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    said = torhaus("call", "a", "b", "--url", "http://127.0.0.1:1", at=tmp_path)

    assert said.code == 1
    assert said.err == "nothing answers at http://127.0.0.1:1: Connection refused\n"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb"),
        (
            {"content": [{"type": "image", "mimeType": "image/png", "data": "AA=="}]},
            "(image image/png)",
        ),
        ({"content": [{"type": "resource", "resource": {"uri": "x:y", "text": "t"}}]}, "t"),
        (
            {"content": [{"type": "resource_link", "uri": "x:y", "name": "n"}]},
            "(resource_link x:y n)",
        ),
        ({"content": [], "structuredContent": {"a": 1}}, '{\n  "a": 1\n}'),
        ({"content": []}, "(an empty answer)"),
        ({"content": "?"}, "(an empty answer)"),
        ({"content": [7, {"type": "text", "text": 7}]}, "(not a content block)\n(text)"),
    ],
)
def test_any_result_has_words(result: dict[str, object], text: str) -> None:
    assert words(result) == text
