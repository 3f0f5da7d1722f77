"""How `caching` and `cache_invalidation` are written, and what is no such thing."""

import pytest

from tests.torhaus.config.stores import mistake, rules
from torhaus.config.load import load_text
from torhaus.model.caching import CacheRule, Vary

LIST = "caching.github.list_repos"


def kept(text: str) -> CacheRule:
    found = rules(f"caching: {{github: {{get_file_contents: {text}}}}}")
    return found.servers["github"].caching.tools["getfilecontents"]


def test_every_key_reaches_the_rule() -> None:
    found = kept(
        "{ttl: 2h, vary_on: [roles, client], max_entry: 512KiB, stale_while_revalidate: 30s, "
        "stale_if_error: 1d, key_args: {ignore: [page_token]}}"
    )

    assert (found.ttl, found.max_entry) == (7200.0, 512 * 1024)
    assert found.vary_on == {Vary.ROLES, Vary.CLIENT}
    assert (found.stale_while_revalidate, found.stale_if_error) == (30.0, 86400.0)
    assert (found.only, found.ignore) == (None, frozenset({"page_token"}))


@pytest.mark.parametrize("text", ["[owner, repo]", "{only: [owner, repo]}"])
def test_a_list_of_arguments_means_no_others(text: str) -> None:
    assert kept(f"{{ttl: 1h, key_args: {text}}}").only == frozenset({"owner", "repo"})


def test_one_word_stands_for_a_list() -> None:
    assert kept("{ttl: 1h, vary_on: user}").vary_on == {Vary.USER}


def test_the_size_of_the_cache_is_read_once() -> None:
    assert load_text("caching: {max_size: 64MiB}", "t.yml", {}).settings.cache_size == 64 << 20
    assert load_text("{}", "t.yml", {}).settings.cache_size == 256 << 20


@pytest.mark.parametrize(
    ("text", "line", "path", "message", "fix"),
    [
        ("caching:\n  github:\n    list_repos: {ttl: 1h, tpye: shared}", 3, f"{LIST}.tpye",
         "unknown key 'tpye'", "did you mean type?"),
        ("caching: {github: {list_repos: {type: shared}}}", 1, LIST, "ttl is missing", "ttl: 5m"),
        ("caching: {github: {list_repos: 300}}", 1, LIST, "block of keys", "key: value"),
        ("caching: {github: {list_repos: {ttl: often}}}", 1, f"{LIST}.ttl", "duration", "5m"),
        ("caching: {github: {list_repos: {ttl: 2y}}}", 1, f"{LIST}.ttl", "range", "1y"),
        ("caching: {github: {list_repos: {ttl: 1h, type: user}}}", 1, f"{LIST}.type",
         "shared or user-specific", "use"),
        ("caching: {github: {list_repos: {ttl: 1h, vary_on: colour}}}", 1, f"{LIST}.vary_on[0]",
         "must be user or roles", "use"),
        ("caching: {github: {list_repos: {ttl: 1h, max_entry: 2GiB}}}", 1, f"{LIST}.max_entry",
         "range", "1GiB"),
        ("caching: {github: {list_repos: {ttl: 1h, key_args: {only: [a], ignore: [b]}}}}", 1,
         f"{LIST}.key_args", "exclude each other", "keep one"),
        ("caching: {github: []}", 1, "caching.github", "block of keys", "key: value"),
        ("caching: [github]", 1, "caching", "block of keys", "key: value"),
        ("caching: {max_size: 1}", 1, "caching.max_size", "range", "64KiB"),
        ("cache_invalidation: {trigger: github.create_issue}", 1, "cache_invalidation",
         "must be a list", "- item"),
        ("cache_invalidation: [{trigger: github.create_issue}]", 1,
         "cache_invalidation[0].invalidate", "missing", "add"),
        ("cache_invalidation:\n  - trigger: github.create_issue\n    invalidate: []", 3,
         "cache_invalidation[0].invalidate", "empty", "at least one"),
        ("cache_invalidation: [{trigger: [], invalidate: github}]", 1,
         "cache_invalidation[0].trigger", "empty", "at least one"),
        ("cache_invalidation:\n- trigger: github.create_issue\n  invalidate:\n"
         "  - {tool: github.list_issues, were: {}}", 4,
         "cache_invalidation[0].invalidate[0].were", "unknown key", "did you mean where?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_path_and_fix(
    text: str, line: int, path: str, message: str, fix: str
) -> None:
    found = mistake(text)

    assert found[:2] == (line, path)
    assert message in found[2]
    assert fix in found[3]
