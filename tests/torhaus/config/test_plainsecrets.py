from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import Problem

SERVER = "mcpServers:\n  github:\n    url: https://a.example/mcp\n    auth: {type: bearer, token: "
GITHUB = "ghp_" + "a" * 36
NONE: tuple[str, str] | None = None


def warned(text: str, name: str = "a.yml", **environ: str) -> list[Problem]:
    known = load_text(text, name, environ).warnings
    return [each for each in known if "secret" in each.message]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (GITHUB, ("stands in the file itself", "${NAME}")),
        ("xoxb-123456789012-abcdefghij", ("stands in the file itself", "${NAME}")),
        ("valut:secret/mcp#token", ("no reference begins with valut:", "did you mean vault:?")),
        ("flie:token.txt", ("no reference begins with flie:", "did you mean file:?")),
        ("env:GITHUB_TOKEN", ("no reference begins with env:", '"${GITHUB_TOKEN}"')),
        ("YOUR_TOKEN", NONE),
        ("user:password", NONE),
        ("${GITHUB}", NONE),
    ],
)
def test_a_secret_in_the_file_and_a_misspelt_reference_are_doubted(
    written: str, expected: tuple[str, str] | None
) -> None:
    found = warned(f'{SERVER}"{written}"}}', GITHUB=GITHUB)

    if expected is None:
        assert found == []
        return
    (one,) = found
    assert (one.line, one.path) == (4, "mcpServers.github.auth.token")
    assert expected[0] in one.message
    assert expected[1] in one.fix
    assert GITHUB not in f"{one.message}{one.fix}"


def test_variables_and_headers_of_servers_are_looked_at_too() -> None:
    text = (
        "mcpServers:\n  a:\n    command: python3\n"
        f"    env: {{TOKEN: {GITHUB}, LEVEL: debug, PLACE: 'http://a.example'}}\n"
        f"  b:\n    url: https://a.example/mcp\n    headers: {{X-Key: {GITHUB}}}\n"
    )

    assert [each.line for each in warned(text)] == [4, 7]


@pytest.mark.parametrize("way", ['token: "file:{file}"', "token_file: {file}"])
@pytest.mark.parametrize(("mode", "lines"), [(0o600, []), (0o640, []), (0o644, [4])])
def test_a_file_that_everybody_can_read_is_doubted(
    tmp_path: Path, way: str, mode: int, lines: list[int]
) -> None:
    (tmp_path / "token").write_text("abc")
    (tmp_path / "token").chmod(mode)
    text = SERVER.replace("token: ", way.format(file="token") + "}")

    found = warned(text, str(tmp_path / "a.yml"))

    assert [each.line for each in found] == lines
    assert all(each.fix == "chmod 600 the file" for each in found)
