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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "github",
            "'github' is not a permission: write SERVER:ACTION, SERVER:TYPE:ACTION, SERVER:* or *, "
            "such as github:read",
        ),
        (
            "git hub:read",
            "'git hub' in 'git hub:read' is not a server's name: use letters, digits, - and _, or "
            "* for every server",
        ),
        (
            "github:isues:read",
            "'isues' in 'github:isues:read' is not a type of thing: did you mean 'issues'?",
        ),
        (
            "github:qqq:read",
            "'qqq' in 'github:qqq:read' is not a type of thing: leave it out to mean every type",
        ),
        (
            "read:repos",
            "'repos' in 'read:repos' is not an action: here the server comes first, such as "
            "github:repos:read",
        ),
        (
            "github:write:issues",
            "'issues' in 'github:write:issues' is not an action: the type comes before the action, "
            "write github:issues:write",
        ),
        (
            "github:issues",
            "'issues' in 'github:issues' is not an action: say what may be done, such as "
            "github:issues:read",
        ),
        (
            "github:qqq",
            "'qqq' in 'github:qqq' is not an action: use admin, delete, execute, read, resolve, "
            "write or *",
        ),
        ("github:WRIET", "'WRIET' in 'github:WRIET' is not an action: did you mean 'write'?"),
    ],
)
def test_an_error_says_what_to_write_instead(text: str, says: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole sentence follows
        parse(text, "r")

    assert str(error.value) == says


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


def test_rights_over_the_gateway_itself_are_spelled_like_those_over_servers() -> None:
    assert parse("torhaus:audit:read", "r") == Permission("torhaus", "audit", "read", "r")


@pytest.mark.parametrize(
    "text", ["torhaus:read", "torhaus:*", "torhaus:audit:write", "torhaus:x:y"]
)
def test_other_rights_over_the_gateway_are_mistakes(text: str) -> None:
    with pytest.raises(ValueError, match="write torhaus:audit:read"):
        parse(text, "r")
