from typing import Any

import msgspec
import pytest

from tests.torhaus.asked import call, person, server
from torhaus.cache.hints import LONGEST_TTL, NOT_KEPT, Hint, hint, hinted_key, remaining, tag_of


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (b'{"tools":[],"ttlMs":5000,"cacheScope":"public"}', Hint(5.0, public=True)),
        (b'{"tools":[],"ttlMs":5000,"cacheScope":"private"}', Hint(5.0, public=False)),
        (b'{"tools":[],"ttlMs":5000}', Hint(5.0, public=False)),
        (b'{"tools":[],"ttlMs":5000,"cacheScope":"shared"}', Hint(5.0, public=False)),
        (b'{"ttlMs":1e300}', Hint(LONGEST_TTL, public=False)),
        (b'{"ttlMs":%b}' % (b"9" * 400), Hint(LONGEST_TTL, public=False)),
        (b'{"ttlMs":1e999}', NOT_KEPT),
        (b'{"ttlMs":5000,"tools":%b}' % (b"[" * 1000 + b"]" * 1000), NOT_KEPT),
        (b'{"tools":[]}', NOT_KEPT),
        (b'{"ttlMs":0,"cacheScope":"public"}', NOT_KEPT),
        (b'{"ttlMs":-1,"cacheScope":"public"}', NOT_KEPT),
        (b'{"ttlMs":"5000"}', NOT_KEPT),
        (b'{"ttlMs":5000,"resultType":"input_required"}', NOT_KEPT),
        (b"[]", NOT_KEPT),
        (b"", NOT_KEPT),
        (b'{"ttlMs":5000,"cacheScope":"\xff"}', NOT_KEPT),
    ],
)
def test_a_result_says_how_long_it_lasts_and_for_whom(result: bytes, found: Hint) -> None:
    assert hint(result) == found


def asked(method: str = "tools/list", arguments: Any = None, **more: Any) -> Any:
    return call(method, arguments, method=method, **more)


def test_a_public_list_has_one_name_for_all_a_private_one_for_each() -> None:
    both = [person(name) for name in ("alice", "bob")]

    assert len({hinted_key(asked(by=one), public=True) for one in both}) == 1
    assert len({hinted_key(asked(by=one), public=False) for one in both}) == 2


def test_whatever_a_list_depends_on_is_in_its_name() -> None:
    different = [
        asked(),
        asked("prompts/list"),
        asked(arguments={"cursor": "2"}),
        asked("resources/read", {"uri": "a"}),
        asked("resources/read", {"uri": "b"}),
        asked("resources/read", {"uri": "b" * 1000}),
        asked(at=server("sentry")),
        asked(at=server(credential="other")),
    ]

    assert len({hinted_key(one, public=True) for one in different}) == len(different)


def test_the_envelope_is_no_part_of_the_name() -> None:
    one, other = (asked(arguments={"_meta": {"progressToken": n}}) for n in (1, 2))

    assert hinted_key(one, public=True) == hinted_key(other, public=True)


@pytest.mark.parametrize(
    "never",
    [
        asked("tools/call"),
        asked("prompts/get"),
        asked("initialize"),
        asked("resources/read", {"uri": "a"}, retry=True),
        asked("tools/list", {"cursor": float("inf")}),
    ],
)
def test_these_are_never_kept(never: Any) -> None:
    assert hinted_key(never, public=True) is None


def test_our_answer_lasts_as_long_as_what_is_left() -> None:
    result = b'{"tools":[{"name":"a"}],"ttlMs":60000,"cacheScope":"public"}'

    seen = msgspec.json.decode(remaining(result, 12.345, private=True))
    same = msgspec.json.decode(remaining(result, -3.0, private=False))

    assert seen == {"tools": [{"name": "a"}], "ttlMs": 12345, "cacheScope": "private"}
    assert (same["ttlMs"], same["cacheScope"]) == (0, "public")


def test_a_list_is_dropped_under_its_method() -> None:
    assert tag_of(asked()) == "github.tools/list"
