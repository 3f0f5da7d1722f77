import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.policy.globs import MAX_STARS, compile_glob, with_case


def matches(glob: str, name: str) -> bool:
    return compile_glob(glob).pattern.fullmatch(name) is not None


@pytest.mark.parametrize(
    ("glob", "name", "fits"),
    [
        ("myorg/*", "myorg/api", True),
        ("myorg/*", "MyOrg/API", True),
        ("myorg/*", "myorg/api/x", False),
        ("myorg/*", "myorg", False),
        ("myorg/*", "myorgx/api", False),
        ("myorg/*", "xmyorg/api", False),
        ("myorg/public-project", "myorg/public-project", True),
        ("myorg/public-project", "myorg/public-project2", False),
        ("myorg/public.project", "myorg/publicxproject", False),
        ("*/secret-*", "a/secret-b", True),
        ("*/secret-*", "a/b/secret-c", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a?c", "ac", False),
        ("*", "anything", True),
        ("*", "a/b", False),
        ("**", "/a/b", True),
        ("*a*b", "xaab", True),
        ("*a*b", "xba", False),
        ("*-x", "a-x-x", True),
        ("a*a", "a", False),
        ("*ab*ab", "ab", False),
        ("*ab*ab", "abab", True),
        ("/data/**", "/data/x/y", True),
        ("/data/**", "/data", False),
        ("/data/**", "/database/x", False),
        ("/data/*/x", "/data/a/b/x", False),
        ("/**/secret/**", "/x/secret/y", True),
        ("/**/a*b", "/x/ayb/z/ab", True),
        ("/**a*b", "/xa/yab", True),
        ("/a/**/b", "/a/b", False),
        ("/a*/**/b*c/**/d", "/ax/q/bc/bxc/e/d", True),
        ("/**/x*", "/a/x", True),
        ("delete*", "deletefile", True),
    ],
)
def test_a_star_is_one_segment_and_two_are_any(glob: str, name: str, *, fits: bool) -> None:
    assert matches(glob, name) is fits


@pytest.mark.parametrize(
    ("glob", "says"),
    [
        ("", "write a name"),
        (" myorg/*", "write a name"),
        ("myorg/*\n", "write a name"),
        ("my\x00org", "write a name"),
        ("a" * 257, "longer than 256"),
        ("*a" * 17, "more than 16 stars"),
        ("my[o]rg/*", "patterns know * and ? only"),
        ("{a,b}/*", "patterns know * and ? only"),
        ("a\\b", "patterns know * and ? only"),
        ("!a", "patterns know * and ? only"),
        ("a/***", "3 stars in a row"),
        ("myorg/**", "** in 'myorg/**' is for paths"),
        ("\uff4dyorg/*", "look like others"),
    ],
)
def test_what_is_no_pattern_is_refused_in_a_sentence(glob: str, says: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the words are looked at below
        compile_glob(glob)

    assert says in str(raised.value)


NASTY = [
    "*a" * MAX_STARS,
    "a*" * MAX_STARS,
    "?*" * MAX_STARS,
    "*?" * MAX_STARS,
    "*ab" * MAX_STARS,
    "*aa" * MAX_STARS + "b",
    "a*a" * MAX_STARS,
    "*/" * MAX_STARS + "a",
    "*-" * MAX_STARS + "x",
    "?" * 256,
    "/**" * 8,
    "/**a" * 8,
    "/**a*" * 5 + "b",
    "/**/a*/**/b*/**/c",
    "/*" * MAX_STARS,
    "/**?" * 8,
    "*" + "a" * 200,
    "a" * 100 + "*" + "a" * 100 + "*b",
    "/**/" + "a" * 200 + "*b",
    "*a*b" * 8,
]


@pytest.mark.parametrize("glob", NASTY)
def test_no_pattern_takes_long(glob: str) -> None:
    pattern = compile_glob(glob).pattern
    names = ["a" * 1024, "a" * 1023 + "b", "/" + "a/" * 511, "/" + "a" * 1022, "ab" * 512]

    began = time.process_time()
    for name in names:
        pattern.fullmatch(name)

    assert time.process_time() - began < 0.05 * len(names)


def plain(glob: str, name: str) -> bool:
    """The slow way, without a regular expression."""
    if not glob:
        return not name
    if glob.startswith("**"):
        return any(plain(glob[2:], name[at:]) for at in range(len(name) + 1))
    if glob[0] == "*":
        ends = (at for at in range(len(name) + 1) if "/" not in name[:at])
        return any(plain(glob[1:], name[at:]) for at in ends)
    if not name or (glob[0] != name[0] and (glob[0] != "?" or name[0] == "/")):
        return False
    return plain(glob[1:], name[1:])


@given(
    st.text("ab*?/", min_size=1, max_size=8).filter(lambda glob: "**" not in glob),
    st.text("ab/", max_size=10),
)
def test_atomic_groups_lose_no_match(glob: str, name: str) -> None:
    assert matches(glob, name) is plain(glob, name)


@given(
    st.lists(st.sampled_from(["a", "b", "*", "?", "/", "**", "/a", "b*"]), min_size=1, max_size=6),
    st.text("ab/", max_size=10),
)
def test_nor_do_those_of_any_depth(parts: list[str], name: str) -> None:
    glob = "/" + "/".join(part.strip("/") or "a" for part in parts)
    if "***" in glob:
        return

    assert matches(glob, "/" + name) is plain(glob, "/" + name)


def test_a_pattern_that_is_too_long_is_shown_in_part() -> None:
    with pytest.raises(ValueError, match=f"^the pattern '{'a' * 40}'… is longer than 256 char"):
        compile_glob("a" * 257)
    assert compile_glob("a" * 256).text == "a" * 256


def test_several_parts_between_stars_stand_in_their_order() -> None:
    assert matches("/**b**c**d", "/abxcyd")
    assert not matches("/**c**b**d", "/abxcyd")
    assert matches("/a*b*c/**", "/axbxc/d")
    assert not matches("/a*c*b/**", "/axbxc/d")


def test_where_case_is_a_part_of_a_name_another_one_is_another_name() -> None:
    found = with_case(compile_glob("file:///notes/*"))

    assert found.text == "file:///notes/*"
    assert found.pattern.fullmatch("file:///notes/A")
    assert not found.pattern.fullmatch("file:///Notes/A")
    assert not found.pattern.fullmatch("file:///note\u017f/A")  # a long s
