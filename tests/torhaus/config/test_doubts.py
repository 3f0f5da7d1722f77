import pytest

from tests.torhaus.config.deciding import loaded

KEY = "api_keys: [0123456789abcdef]"
PEOPLE = (
    "roles: {dev: {permissions: [github.read]}}\n"
    f"users: [{{email: u@x.de, role: dev, {KEY}}}]\n"
)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("github: {dev: {}}", "github.dev", "says nothing"),
        ("github: {dev: {exclusive: true}}", "github.dev", "nothing on github is allowed to dev"),
        ("server: {host: 0.0.0.0}", "server.host", "answers to any Host name"),
        (
            "server: {host: 0.0.0.0, public_url: 'https://g.de', plaintext: any}",
            "server.plaintext", "unencrypted",
        ),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_a_warning(text: str, path: str, message: str) -> None:
    (warning,) = loaded(PEOPLE + text).warnings

    assert warning.path == path
    assert message in warning.message
    assert warning.fix


def test_nothing_is_said_about_what_is_in_order() -> None:
    assert loaded(PEOPLE).warnings == ()
