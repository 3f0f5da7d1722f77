from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.access import Access, Bound, Effect, Hours, Origin, Permission, Policy
from torhaus.policy.conditions import compile_condition
from torhaus.policy.globs import compile_glob
from torhaus.policy.index import index

HOURS = Hours(zone=ZoneInfo("Europe/Berlin"))
WHEN = compile_condition("hour > 8")


def bound(*allow: str, deny: tuple[str, ...] = (), kind: str = "repos") -> Bound:
    globs = tuple(map(compile_glob, allow)) if allow else None
    return Bound(kind=kind, rule="r", allow=globs, deny=tuple(map(compile_glob, deny)))


def test_the_same_access_has_the_same_index() -> None:
    access = Access(allows=(Permission("github", "*", "read", "r"),))

    assert index(access) is index(access)
    assert index(msgspec.structs.replace(access)) is not index(access)
    assert access == Access(allows=(Permission("github", "*", "read", "r"),))


@given(
    st.lists(
        st.tuples(st.sampled_from(["*", "issues", "repos"]), st.sampled_from(["*", "read", "x"])),
        max_size=8,
    ),
    st.sampled_from(["read", "x", "unknown"]),
    st.sampled_from([("issues",), ("repos",), ("issues", "repos"), ("",)]),
)
def test_a_shelf_finds_what_a_walk_finds(
    held: list[tuple[str, str]], action: str, kinds: tuple[str, ...]
) -> None:
    permissions = tuple(Permission("s", *each, f"{n}") for n, each in enumerate(held))
    walked = [
        each for each in permissions if each.action in (action, "*") and each.type in ("*", *kinds)
    ]

    shelf = index(Access(allows=permissions)).allows
    for _ in range(2):  # what was found is remembered
        assert list(shelf.covering(action, kinds)) == walked


def test_what_is_asked_makes_no_shelf_grow() -> None:
    """Types that nobody has heard of come from names of tools, which are anybody's."""
    held = tuple(Permission("s", *each) for each in [("*", "read", "1"), ("issues", "write", "2")])
    shelf = index(Access(allows=held)).allows
    for number in range(100):
        assert shelf.covering("read", (f"kind{number}",)) == held[:1]
        assert shelf.covering(f"do{number}", (f"kind{number}",)) == ()

    assert shelf.covering("write", ("issues",)) == held[1:]
    assert len(shelf.met) == 3


def test_a_call_about_any_type_meets_what_is_for_all_types_in_order() -> None:
    held = tuple(Permission("s", *each) for each in [("*", "read", "1"), ("*", "*", "2")])

    found = list(index(Access(allows=held)).allows.covering("read", ("*",)))

    assert list(dict.fromkeys(found)) == list(held)


NAMES = st.text("ab/-", min_size=1, max_size=8)


@given(st.lists(st.text("ab*?/-", min_size=1, max_size=6), min_size=1, max_size=6), NAMES)
def test_many_patterns_at_once_are_each_of_them(texts: list[str], name: str) -> None:
    globs = [compile_glob(text) for text in texts if "**" not in text] or [compile_glob("x")]
    (limit,) = index(Access(bounds=(Bound(kind="repos", rule="r", deny=tuple(globs)),))).limits

    assert limit.deny is not None
    assert limit.deny.hold(name) is any(glob.pattern.fullmatch(name) for glob in globs)
    assert limit.deny.hold(name.upper()) is limit.deny.hold(name)


@pytest.mark.parametrize(("allow", "free"), [("*", True), ("**", True), ("*/*", False)])
def test_a_bound_that_allows_everything_asks_nothing(allow: str, *, free: bool) -> None:
    found = index(Access(bounds=(bound(allow),)))

    assert (found.limits == ()) is free
    assert found.kinds == (frozenset() if free else {"repos"})
    assert (index(Access(bounds=(bound("a/b", allow),))).limits == ()) is free
    assert len(index(Access(bounds=(bound("*", deny=("a/b",)),))).limits) == 1


def test_the_case_of_a_path_counts_where_it_opens_something() -> None:
    paths = bound("/data/Public/*", "/data/One", deny=("/data/Public/x",), kind="paths")
    (limit,) = index(Access(bounds=(paths,))).limits

    assert limit.allow is not None
    assert limit.deny is not None
    assert limit.allow.hold("/data/Public/a")
    assert limit.allow.hold("/data/One")
    assert not limit.allow.hold("/data/public/a")
    assert not limit.allow.hold("/data/one")
    assert limit.deny.hold("/DATA/public/X")


def policy(effect: Effect = Effect.DENY, **more: object) -> Access:
    return Access(policies=(Policy(name="p", effect=effect, **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("access", "arguments", "elsewhere", "hours"),
    [
        (Access(), False, False, ()),
        (Access(arguments=True), True, False, ()),
        (Access(moment=True), False, True, ()),
        (Access(bounds=(bound("a/*"),)), True, False, ()),
        (Access(bounds=(bound("*"),)), False, False, ()),
        (Access(allows=(Permission("s", "*", "read", "r", WHEN),)), True, False, ()),
        (Access(denies=(Permission("s", "*", "read", "r", WHEN),)), True, False, ()),
        (Access(origins=(Origin(rule="r", clients=frozenset({"x"})),)), False, True, ()),
        (policy(when=WHEN), True, False, ()),
        (policy(hours=HOURS), False, False, (HOURS,)),
        (msgspec.structs.replace(policy(hours=HOURS), moment=True), False, False, (HOURS,)),
        (policy(Effect.LOG_ONLY, hours=HOURS), False, False, (HOURS,)),
        (policy(networks=()), False, True, ()),
        (policy(), False, False, ()),
        (policy(Effect.LOG_ONLY), False, False, ()),
        (Access(bounds=(Bound(kind="repos", rule="r", when=WHEN),)), True, False, ()),
        (policy(Effect.DENY_OTHER_CLIENTS, clients=frozenset()), False, True, ()),
    ],
)
def test_what_a_verdict_may_depend_on(
    access: Access, *, arguments: bool, elsewhere: bool, hours: tuple[Hours, ...]
) -> None:
    found = index(msgspec.structs.replace(access))

    assert (found.arguments, found.elsewhere, found.hours) == (arguments, elsewhere, hours)


def test_policies_stand_where_they_are_asked() -> None:
    rules = tuple(Policy(name=effect.value, effect=effect) for effect in Effect)

    found = index(Access(policies=rules))

    assert [each.name for each in found.refusing] == [
        "deny",
        "deny_outside_hours",
        "deny_outside_networks",
        "deny_other_clients",
    ]
    assert [each.name for each in found.asking] == ["require_approval"]
    assert {each.name for each in found.watching} == {"log_only", "redact"}


def test_names_are_looked_up_and_only_patterns_are_tried() -> None:
    globs = ("MyOrg/Api", "other/*", "OTHER/x?", "*/docs", "web-*", "solo")
    (limit,) = index(Access(bounds=(bound(*globs, deny=("Secret/It",)),))).limits

    assert limit.allow is not None
    assert limit.deny is not None
    assert limit.allow.whole == {"myorg/api", "solo"}
    assert {head: len(some) for head, some in limit.allow.under.items()} == {"other": 2}
    assert len(limit.allow.loose) == 2
    assert (limit.allow.exact, limit.deny.exact) == (False, False)
    assert limit.deny.whole == {"secret/it"}
    assert limit.deny.hold("SECRET/it")
