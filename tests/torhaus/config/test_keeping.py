"""What `caching` and `cache_invalidation` mean for each server."""

import msgspec
import pytest

from tests.torhaus.config.stores import (
    SERVERS,
    WITH_BRIEF,
    doubts,
    mistake,
    printed,
    rules,
)
from torhaus.config.load import load_text
from torhaus.model.caching import NO_CACHING, CacheRule, Invalidation, Scope
from torhaus.model.rules import Rules


def lasts(of: Rules, server: str) -> dict[str, float]:
    return {tool: rule.ttl for tool, rule in of.servers[server].caching.tools.items()}


# -- as the product text prints it ----------------------------------------------------------------


@WITH_BRIEF
def test_the_block_by_data_type_means_what_it_says() -> None:
    found = rules(printed("Cache-TTL nach Datentyp", "Cache Invalidation"))

    assert lasts(found, "github") == {
        "listrepos": 3600.0, "listissues": 300.0, "getissue": 60.0, "listcommits": 7200.0,
    }  # fmt: skip
    assert lasts(found, "sentry") == {"geterrors": 30.0, "getstats": 600.0}
    assert found.servers["github"].caching.other is None


@WITH_BRIEF
def test_the_flat_block_says_whose_answers_they_are() -> None:
    found = rules(printed("Shared vs. User-Specific Cache", "Monitoring & Alerts"))

    keeping = found.servers["github"].caching
    shared, own = keeping.rule("list_repos"), keeping.rule("list_my_issues")
    assert shared is not None
    assert own is not None
    assert (shared.ttl, shared.scope) == (3600.0, Scope.SHARED)
    assert (own.ttl, own.scope) == (300.0, Scope.USER)


@WITH_BRIEF
def test_both_blocks_can_stand_together_where_they_name_different_tools() -> None:
    flat = printed("Shared vs. User-Specific Cache", "Monitoring & Alerts")
    nested = printed("Cache-TTL nach Datentyp", "Cache Invalidation")
    together = nested + flat.split("\n", 2)[2].split("\n\n", 1)[1]

    assert lasts(rules(together), "github")["listmyissues"] == 300.0


@WITH_BRIEF
def test_writes_drop_what_the_text_says() -> None:
    text = printed("Automatisch bei Writes:", "Shared vs. User-Specific Cache")

    assert rules(text).servers["github"].caching.triggers == {
        "createissue": (
            Invalidation(tag="github.listissues"),
            Invalidation(tag="github.getrepostats"),
        ),
        "createcommit": (Invalidation(tag="github.listcommits"),),
    }


@WITH_BRIEF
def test_cache_and_limit_of_a_server_mean_what_they_say() -> None:
    text = "mcpServers:\n" + printed("mcpServers:", "EOF")

    found = load_text(text, "t.yml", {"GITHUB_TOKEN": "a" * 20, "SENTRY_TOKEN": "b" * 20}).rules

    github, sentry = found.servers["github"], found.servers["sentry"]
    kept = github.caching.rule("anything")
    assert kept is not None
    assert (kept.ttl, kept.scope) == (300.0, Scope.SHARED)
    assert github.rate_limit is not None
    assert (github.rate_limit.requests, github.rate_limit.seconds) == (100, 3600.0)
    rest = sentry.caching.rule("get_errors")
    assert rest is not None
    assert rest.ttl == 60.0
    assert sentry.rate_limit is not None
    assert (sentry.rate_limit.requests, sentry.rate_limit.seconds) == (50, 3600.0)


# -- which rule holds -----------------------------------------------------------------------------


def test_a_named_tool_goes_before_the_rest_in_any_spelling() -> None:
    text = "caching: {github: {ttl: 5m, get_file_contents: {ttl: 1h}}}"

    keeping = rules(text).servers["github"].caching

    named, rest = keeping.rule("getFileContents"), keeping.rule("issue_read")
    assert (named and named.ttl, rest and rest.ttl) == (3600.0, 300.0)


def test_caching_goes_before_the_servers_own_cache() -> None:
    address = 'url: "https://mcp.github.com"'
    servers = SERVERS.replace(address, f"{address}, cache: {{ttl: 9}}")

    own = rules("", servers).servers["github"].caching.rule("x")
    said = rules("caching: {github: {ttl: 5m}}", servers).servers["github"].caching.rule("x")

    assert (own and own.ttl, said and said.ttl) == (9.0, 300.0)


def test_a_ttl_of_0_takes_one_tool_out() -> None:
    text = "caching: {github: {ttl: 5m, issue_read: {ttl: 0}}}"

    kept = rules(text).servers["github"].caching.rule("issue_read")

    assert kept is not None
    assert kept.ttl == 0.0


def test_a_server_that_nobody_names_keeps_nothing() -> None:
    assert rules("caching: {github: {ttl: 5m}}").servers["sentry"].caching is NO_CACHING


@pytest.mark.parametrize(
    "change",
    ["ttl: 2h", "key_args: {ignore: [page]}", "key_args: [owner]", "key_args: {ignore: [a, b]}"],
)
def test_answers_kept_under_another_rule_have_other_names(change: str) -> None:
    def kept(text: str) -> CacheRule | None:
        return rules(f"caching: {{github: {{ttl: 1h, {text}}}}}").servers["github"].caching.other

    before, after = kept(""), kept(change) if "ttl" not in change else None
    if after is None:
        after = rules(f"caching: {{github: {{{change}}}}}").servers["github"].caching.other

    assert before is not None
    assert after is not None
    assert before.digest != after.digest


def test_how_old_an_answer_may_be_given_changes_no_name() -> None:
    one, other = (
        rules(f"caching: {{github: {{ttl: 1h, {text}}}}}").servers["github"].caching.other
        for text in ("stale_if_error: 1h", "stale_while_revalidate: 5m, max_entry: 1KiB")
    )

    assert one is not None
    assert other is not None
    assert one.digest == other.digest
    assert msgspec.structs.replace(one, digest="") != msgspec.structs.replace(other, digest="")


# -- invalidation ---------------------------------------------------------------------------------


def test_a_write_can_drop_some_answers_or_a_whole_server() -> None:
    text = """
cache_invalidation:
  - trigger: [github.create_issue, "github:update_issue"]
    invalidate:
      - {tool: github.list_issues, where: {repo: "{owner}/{repo}"}}
      - sentry
  - trigger: github.create_issue
    invalidate: github.search_issues
"""
    triggers = rules(text).servers["github"].caching.triggers

    both = (
        Invalidation(tag="github.listissues", where=(("repo", "{owner}/{repo}"),)),
        Invalidation(tag="sentry"),
    )
    assert triggers["updateissue"] == both
    assert triggers["createissue"] == (*both, Invalidation(tag="github.searchissues"))


# -- mistakes and doubts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("caching: {github.x: {ttl: 1h}, github: {x: {ttl: 2h}}}", "caching.github.x",
         "x of github has a rule already"),
        ("caching: {github: {list_x: {ttl: 1h}, listX: {ttl: 2h}}}", "caching.github.listX",
         "listX of github has a rule already"),
        ("caching: {github.x: {ttl: 1h, y: {ttl: 1m}}}", "caching.github.x.y",
         "github.x is one tool, and has no further ones"),
        ("caching: {github.x: {type: shared}}", "caching.github.x", "ttl is missing"),
        ("caching: {github: {type: user-specific, x: {ttl: 1m}}}", "caching.github",
         "ttl is missing"),
        ("cache_invalidation: [{trigger: github, invalidate: github.x}]",
         "cache_invalidation[0].trigger", "github is no tool"),
    ],
)  # fmt: skip
def test_rules_that_contradict_each_other_are_refused(text: str, path: str, message: str) -> None:
    found = mistake(text)

    assert (found[1], found[2]) == (path, message)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("caching: {gihtub: {ttl: 1h}}", "caching.gihtub"),
        ("caching: {gihtub.x: {ttl: 1h}}", "caching.gihtub.x"),
        ("cache_invalidation: [{trigger: gihtub.x, invalidate: github}]",
         "cache_invalidation[0].trigger"),
        ("cache_invalidation: [{trigger: github.issue_write, invalidate: gihtub}]",
         "cache_invalidation[0].invalidate[0]"),
    ],
)  # fmt: skip
def test_a_server_that_is_not_there_is_doubted_as_it_keeps_nothing(text: str, path: str) -> None:
    assert doubts(text) == [(path, "no server 'gihtub' is configured", "did you mean github?")]


def test_a_tool_that_a_known_server_does_not_have_is_doubted() -> None:
    ((path, message, fix),) = doubts("caching: {github: {isue_read: {ttl: 1h}}}")

    assert path == "caching.github.isue_read"
    assert "github has no tool 'isue_read'" in message
    assert "torhaus tools" in fix
