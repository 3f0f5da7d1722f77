import time
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from torhaus.policy.conditions import FACTS, compile_condition

NOON = 1_790_000_000.0  # Monday 21 September 2026, 14:13:20 UTC


def facts(**more: Any) -> Mapping[str, Any]:
    return {
        **FACTS,
        "user": "alice@example.org",
        "roles": ["developer"],
        "groups": ["crew"],
        "server": "github",
        "environment": "production",
        "tool": "push_files",
        "actions": ["write"],
        "types": ["contents"],
        "targets": ["myorg/api"],
        "tags": ["merge"],
        "args": {"branch": "main", "files": [{"path": "a"}], "n": 7, "none": None},
        "ip": "192.0.2.7",
        "client": "cursor",
        "now": NOON,
        **more,
    }


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('user == "alice@example.org"', True),
        ('"developer" in roles && !("admin" in roles)', True),
        ('"crew" in groups', True),
        ('server == "github" && environment == "production"', True),
        ('tool == "push_files" && "write" in actions && "contents" in types', True),
        ('targets.exists(t, t.startsWith("myorg/"))', True),
        ('targets.all(t, t == "myorg/web")', False),
        ('"merge" in tags', True),
        ('args.branch == "main"', True),
        ('args["branch"].matches("^(main|release/.*)$")', True),
        ("args.n > 5", True),
        ("args.n > 5.5", True),
        ("has(args.branch) && !has(args.draft)", True),
        ("args.none == null", True),
        ("size(args.files) > 1", False),
        ('args.files.exists(f, f.path == "a") && args.files.all(f, f.path != "b")', True),
        ('ip.startsWith("192.0.2.") && client == "cursor"', True),
        ('weekday == "monday" && hour == 14', True),
        ('weekday in ["saturday", "sunday"]', False),
        ('now > timestamp("2026-01-01T00:00:00Z")', True),
        ('user == "x.map(y, z)"', False),
        ('tool == "a" ? false : true', True),
        ("true ||" + " " * 989 + "true", True),
        # Loops one after another, in brackets and in arguments of functions.
        ('(roles.all(r, r != "")) && groups.exists(g, g == "crew")', True),
        ('[1].exists(i, i == size(roles)) && (groups.all(g, g != "")) && tags.all(t, true)', True),
        ('size([[roles.exists(r, r == "developer")], [groups.all(g, g != "")]]) == 2', True),
        (
            'now < timestamp("2026-09-21T14:13:21Z") && now > timestamp("2026-09-21T14:13:19Z")',
            True,
        ),
    ],
)
def test_a_condition_is_true_of_a_call_or_not(text: str, *, answer: bool) -> None:
    condition = compile_condition(text)

    assert condition.text == text
    assert condition.holds(facts()) is answer


def test_the_hour_is_that_of_the_zone() -> None:
    there = ZoneInfo("Pacific/Auckland")  # twelve hours ahead

    assert compile_condition('hour == 2 && weekday == "tuesday"', there).holds(facts())


@pytest.mark.parametrize(
    "text",
    [
        'args.missing == "x"',
        'args.n == "7" || args.missing == 1',
        "args.branch > 5",
        "args.n",
        "args.files[5].path == 'a'",
        "args.n / 0 == 1",
        "args.n + 9223372036854775807 > 0",
        "int(args.branch) == 1",
    ],
)
def test_what_cannot_be_told_is_an_error_and_no_answer(text: str) -> None:
    condition = compile_condition(text)

    with pytest.raises(ValueError, match=r"\w"):
        condition.holds(facts())


def test_a_fact_that_cannot_be_had_is_an_error() -> None:
    class Unknown(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            raise ValueError(f"{name} cannot be told")

    with pytest.raises(ValueError, match="targets cannot be told"):
        compile_condition('"myorg/api" in targets').holds(Unknown())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1 to 1000 characters"),
        ("   ", "1 to 1000 characters"),
        ("true || " * 125 + "true", "1 to 1000 characters"),
        ("true ||" + " " * 990 + "true", "a condition has 1 to 1000 characters"),
        ("user ==", "'user ==' is not CEL: "),
        ("user ==", "yntax"),
        ("(((", "is not CEL"),
        (
            "zzz.x == 1",
            "'zzz' in 'zzz.x == 1' is not known: a call has actions, args, client, environment, ",
        ),
        ("usr == user", "'usr' in 'usr == user' is not known: did you mean user?"),
        (
            "lower(user) == 'a'",
            "'lower' in \"lower(user) == 'a'\" is not known: there are all, bool, contains, ",
        ),
        ('usr == "a"', "did you mean user?"),
        ("arguments.x == 1", "is not known"),
        ("lower(user) == 'a'", "is not known"),
        ('now.getHours("UTC") > 8', "is not known"),
        ("1 + 1", "neither true nor false"),
        ("user", "neither true nor false"),
        ("roles", "neither true nor false"),
        ("roles.map(r, r) == roles", ".map() is not for conditions"),
        ("roles.filter(r, r == 'a') == roles", ".filter() is not for conditions"),
        ("roles.all(r, groups.all(g, r == g))", "inside another loop"),
        ("roles . all ( r , [1].exists(g, groups.exists(h, true)))", "inside another loop"),
        ("tool.matches(args.pattern)", "a pattern in quotes"),
        ('tool.matches("a" + args.pattern)', "a pattern in quotes"),
        ('tool.matches("(")', "cannot work"),
        ('true // "', "no // comments"),
        ('true // "\n && roles.map(r, r) == [] // "', "no // comments"),
    ],
)
def test_what_is_no_condition_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the words are looked at below
        compile_condition(text)

    assert says in str(raised.value)
    assert len(str(raised.value)) < 2000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("true // x", "a condition has no // comments: say it in the rule's description"),
        ("tool.matches(ip)", ".matches() takes a pattern in quotes, not one from the call"),
        ("", "a condition has 1 to 1000 characters"),
    ],
)
def test_a_sentence_is_all_that_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole sentence follows
        compile_condition(text)

    assert str(raised.value) == says


@pytest.mark.parametrize(
    "text",
    [
        "(roles.all(r, r != '')) && (groups.all(g, (tags.all(t, true))))",
        "roles.all(r, (r != '') && tags.all(t, true))",
        "roles.all(r, size([r]) == 1 && tags.all(t, true))",
        "roles.all(r, [{'a': r}].exists(t, true))",
        "(((roles.all(r, tags.all(t, true)))))",
        "roles.all(r, ((true)) && (false || tags.exists(t, true)))",
        "tags.exists_one(t, roles.exists_one(r, r == t))",
    ],
)
def test_a_loop_in_a_loop_is_found_behind_any_brackets(text: str) -> None:
    with pytest.raises(ValueError, match="stands inside another loop, which takes too long"):
        compile_condition(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a\n  b", "a b"),
        ("a" * 200, "a" * 200),
        ("a" * 201, "a" * 199 + "…"),
        ("a" * 202, "a" * 199 + "…"),
    ],
)
def test_an_error_of_a_call_is_one_short_line(said: str, shown: str) -> None:
    class Unknown(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            raise ValueError(said)

    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole sentence follows
        compile_condition('"a" in targets').holds(Unknown())

    assert str(raised.value) == shown


@pytest.mark.parametrize(
    "text",
    [
        "has(args.force) && args.force",
        '!("force" in args)',
        "!has(args.force)",
        'args[ "force" ] == true || true',
    ],
)
@pytest.mark.parametrize("shadow", ["Force", "FORCE", "force\0", "\uff46orce"])
def test_an_argument_in_another_spelling_is_neither_there_nor_not(text: str, shadow: str) -> None:
    """The server may take it for the one that is asked for; what is not asked for may be so."""
    condition = compile_condition(text)

    with pytest.raises(ValueError, match="another spelling"):
        condition.holds(facts(args={shadow: True}))
    assert condition.holds(facts(args={"force": True, "Branch": 1})) in (True, False)
    with pytest.raises(ValueError, match="another spelling"):
        condition.holds(facts(args={"force": False, shadow: True}))


def test_a_value_that_is_called_like_an_argument_is_no_spelling_of_it() -> None:
    assert compile_condition('args.state == "State"').holds(facts(args={"state": "State"}))
    assert not compile_condition('tool == "Branch"').holds(facts(args={"branch": "main"}))


def test_many_arguments_are_not_walked() -> None:
    condition = compile_condition("args.list.exists(i, i == 1)")
    # The object, its list and what is in that are counted.
    assert condition.holds(facts(args={"list": [1] * 1998}))
    with pytest.raises(ValueError, match=r"^the arguments hold more than 2000 values$"):
        condition.holds(facts(args={"list": [1] * 1999}))

    assert condition.holds(facts(args={"list": [1]}))
    with pytest.raises(ValueError, match="more than 2000 values"):
        condition.holds(facts(args={"list": list(range(3000))}))
    with pytest.raises(ValueError, match="more than 2000 values"):
        condition.holds(facts(args={"list": [{"a": [0] * 50} for _ in range(100)]}))
    assert compile_condition('user != ""').holds(facts(args={"list": list(range(3000))}))


@pytest.mark.parametrize(
    "text",
    [
        "args.list.exists(i, i == -1)",
        "args.list.all(i, i in args.list)",
        'args.text.matches("^(a+)+$")',
        'args.text.contains("aab")',
        " || ".join(["args.list.exists(i, i == -1)"] * 30),
    ],
)
def test_no_condition_takes_long(text: str) -> None:
    condition = compile_condition(text)
    huge = facts(args={"list": list(range(1900)), "text": "a" * 500_000 + "b"})

    began = time.process_time()
    condition.holds(huge)

    assert time.process_time() - began < 0.5


def test_two_of_the_same_text_are_the_same_condition() -> None:
    one, other = compile_condition("hour > 8"), compile_condition("hour > 8")

    assert one == other
    assert hash(one) == hash(other)
    assert hash(one) != hash(compile_condition("hour > 9"))
    assert one != compile_condition("hour > 8", ZoneInfo("Europe/Berlin"))
    assert one != compile_condition("hour > 9")
    assert one != "hour > 8"
    assert repr(one) == "Compiled('hour > 8')"
