import pytest

from tests.torhaus.config.deciding import loaded

KEY = "api_keys: [0123456789abcdef]"
USER = f"users: [{{email: u@x.de, role: dev, {KEY}}}]\n"
READER = f"roles: {{dev: {{permissions: [github.read]}}}}\n{USER}"


def warned(text: str) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in loaded(text).warnings]


@pytest.mark.parametrize(
    "role",
    [
        "{permissions: [github:read, github:delete], restrictions: [no_delete]}",
        "{permissions: [github:read, github:issues:delete], restrictions: [no_github_delete]}",
        "{permissions: [github:read, github:labels:delete], restrictions: [no_delete_issues]}",
    ],
)
def test_a_permission_that_the_role_itself_takes_back_is_doubted(role: str) -> None:
    ((path, message),) = warned(f"roles: {{dev: {role}}}\n{USER}")

    assert path == "roles.dev.permissions[1]"
    assert "line 4 always removes it" in message


@pytest.mark.parametrize(
    "role",
    [
        "{permissions: ['github:*'], restrictions: [no_delete]}",
        "{permissions: [github:read, github:delete], restrictions: [no_sentry_delete]}",
        "{permissions: [github:read, github:issues:delete], restrictions: [no_delete_labels]}",
    ],
)
def test_a_permission_that_is_left_in_part_is_not(role: str) -> None:
    assert warned(f"roles: {{dev: {role}}}\n{USER}") == []


def test_a_block_that_denies_what_it_allows_is_doubted() -> None:
    found = warned(f"{READER}github: {{dev: {{allow: [write:issues], deny: ['write:*']}}}}")

    assert found == [("github.dev.allow[0]", "this never counts: line 6 always removes it")]


def test_a_deny_under_a_condition_removes_nothing_always() -> None:
    block = "{allow: [write:issues], deny: ['write:*'], when: 'tool == \"x\"'}"

    assert warned(f"{READER}github: {{dev: {block}}}") == []


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ("['github:write']", "can write things but not read them"),
        ("['github:issues:write', 'github:gists:read']", "can write issues but not read them"),
        ("['github:issues:write', 'sentry:read']", "can write issues but not read them"),
    ],
)
def test_writing_without_reading_is_doubted(permissions: str, said: str) -> None:
    ((path, message),) = warned(f"roles: {{dev: {{permissions: {permissions}}}}}\n{USER}")

    assert path == "roles.dev.permissions[0]"
    assert said in message


@pytest.mark.parametrize(
    "permissions",
    [
        "['github:issues:write', 'github:read']", "['github:issues:write', 'github:issues:read']",
        "['github:write', '*']", "['github:write', '*:read']", "['github:*']",
        "['github:write', 'github:gists:read']",
    ],
)  # fmt: skip
def test_writing_with_some_reading_is_not(permissions: str) -> None:
    assert warned(f"roles: {{dev: {{permissions: {permissions}}}}}\n{USER}") == []


@pytest.mark.parametrize(
    ("scope", "path", "said"),
    [
        ("{allow: [a/b, c/d], deny: [a/b]}", "repos.allow[0]", "'a/b' never counts"),
        ("{allow: [a/x-*], deny: ['a/*']}", "repos.allow[0]", "deny has 'a/*'"),
        ("{allow: A/B, deny: a/?}", "repos.allow", "'A/B' never counts"),
        ("{allow: []}", "repos", "no call with repos can pass"),
        ("[]", "repos", "no call with repos can pass"),
        ("{deny: ['*']}", "repos", "no call with repos can pass"),
    ],
)
def test_a_bound_around_nothing_is_doubted(scope: str, path: str, said: str) -> None:
    ((where, message),) = warned(f"{READER}github: {{dev: {{repos: {scope}}}}}")

    assert where == f"github.dev.{path}"
    assert said in message


@pytest.mark.parametrize(
    "scope", ["{allow: [a/*], deny: [a/b]}", "{allow: ['*/b'], deny: ['a/*']}"]
)
def test_a_bound_that_leaves_something_is_not(scope: str) -> None:
    assert warned(f"{READER}accessControl: [{{role: dev, repos: {scope}}}]") == []
