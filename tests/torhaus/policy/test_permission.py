from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.access import Permission
from torhaus.policy.permission import ACTIONS, parse
from torhaus.policy.tables import TYPES


@pytest.mark.parametrize(
    ("text", "server", "kind", "action"),
    [
        ("github.read", "github", "*", "read"),
        ("github:read", "github", "*", "read"),
        ("github:issues:write", "github", "issues", "write"),
        ("github.issues.write", "github", "issues", "write"),
        ("github.*", "github", "*", "*"),
        ("github:*", "github", "*", "*"),
        ("*", "*", "*", "*"),
        ("*:read", "*", "*", "read"),
        ("my-server_2:execute", "my-server_2", "*", "execute"),
    ],
)
def test_a_permission_is_read_in_every_spelling(
    text: str, server: str, kind: str, action: str
) -> None:
    assert parse(text, "r") == Permission(server, kind, action, "r")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("github:raed", "'read'"),
        ("github:isues:read", "'issues'"),
        ("github:write:issues", "github:issues:write"),
        ("read:repos", "github:repos:read"),
        ("github:issues", "github:issues:read"),
        ("firebase:production", "read"),
        ("github", "SERVER:ACTION"),
        ("a:b:c:d", "SERVER:ACTION"),
        ("", "SERVER:ACTION"),
        ("github: read", "'read'"),
        ("git hub:read", "letters"),
        (":read", "letters"),
        ("github:Read", "'read'"),
        ("github:unknown", "use admin"),
        ("github:unknown:*", "leave it out"),
    ],
)
def test_an_unknown_word_is_an_error_that_names_the_fix(text: str, fix: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as error:
        parse(text, "r")

    assert fix in str(error.value)


@given(
    server=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True),
    kind=st.sampled_from(["*", *sorted(TYPES)]),
    action=st.sampled_from(["*", *sorted(ACTIONS)]),
    mark=st.sampled_from(":."),
)
def test_what_is_written_is_what_is_read(server: str, kind: str, action: str, mark: str) -> None:
    assert parse(mark.join((server, kind, action)), "r") == Permission(server, kind, action, "r")


@given(st.text(st.sampled_from("gr:.*_ ad"), max_size=12))
def test_any_text_is_a_permission_or_an_error(text: str) -> None:
    with suppress(ValueError):
        assert parse(text, "r").action in ACTIONS | {"*"}
