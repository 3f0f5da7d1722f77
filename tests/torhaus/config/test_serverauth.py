"""`mcpServers.NAME.auth`: what goes together."""

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.servers import HttpAddress

TOP = "mcpServers:\n  github:\n    url: https://mcp.example.org/mcp\n    auth: "
CLIENT = "type: oauth, mode: client, client_id: torhaus"


def address(auth: str) -> HttpAddress:
    found = load_text(TOP + auth + "\n", "t.yml", {"S": "s3cret-of-the-client"})
    made = found.rules.servers["github"].address
    assert isinstance(made, HttpAddress)
    return made


def test_a_stored_credential_is_none_of_the_file() -> None:
    found = address("{type: stored}")

    assert (found.stored, found.headers, found.oauth) == (True, (), None)


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ("{type: stored, token: x}", "does not use token"),
        ("{type: bearer, token: abc, mode: user}", "does not use mode"),
        ("{type: oauth, mode: everybody}", ""),
        ("{type: oauth, mode: user, accounts: {'***': shared}}", "stars in a row"),
    ],
)
def test_a_mistake_is_named(auth: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        address(auth)

    assert any(words in problem.message for problem in caught.value.problems), caught.value


def test_no_secret_of_a_client_is_in_a_header_or_a_print() -> None:
    found = address(f"{{{CLIENT}, client_secret: '${{S}}'}}")

    assert found.headers == ()
    assert found.oauth is not None
    assert "s3cret" not in repr(found)
    assert found.oauth.client_secret is not None
    assert found.oauth.client_secret.reveal() == "s3cret-of-the-client"


def test_a_server_must_not_repeat_the_clients_secret() -> None:
    text = TOP + f"{{{CLIENT}, client_secret: '${{S}}'}}\n"
    found = load_text(text, "t.yml", {"S": "s3cret-of-the-client"}).rules.servers["github"]

    assert [each.reveal() for each in found.secrets] == ["s3cret-of-the-client"]
