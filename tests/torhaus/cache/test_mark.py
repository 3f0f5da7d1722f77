from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.cache.mark import marked, prepared

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
META = st.dictionaries(st.text(max_size=3) | st.just("torhaus/cache"), JSON, max_size=3)


@given(st.dictionaries(st.text(max_size=3), JSON), st.none() | META)
def test_a_mark_changes_nothing_else(members: dict[str, Any], meta: dict[str, Any] | None) -> None:
    members.pop("_meta", None)
    result = members if meta is None else {**members, "_meta": meta}

    seen = msgspec.json.decode(marked(prepared(msgspec.json.encode(result)), 12.9, 287.1))

    mark = seen["_meta"].pop("torhaus/cache")
    assert mark == {"hit": True, "age": 12, "expires": 288}
    assert seen.pop("_meta") == {k: v for k, v in (meta or {}).items() if k != "torhaus/cache"}
    assert seen == members


def test_a_mark_is_there_once_even_if_the_server_set_one() -> None:
    forged = b'{"_meta":{"torhaus/cache":{"hit":false}},"content":[]}'

    assert marked(prepared(forged), 1.0, 2.0).count(b"torhaus/cache") == 1


def test_a_miss_can_be_marked_too() -> None:
    seen = msgspec.json.decode(marked(prepared(b"{}"), 0.0, 300.0, hit=False))

    assert seen["_meta"]["torhaus/cache"] == {"hit": False, "age": 0, "expires": 300}


def test_what_has_expired_does_not_count_below_nothing() -> None:
    assert b'"age":0,"expires":0' in marked(prepared(b"{}"), -5.0, -5.0)


def test_bytes_that_were_not_prepared_stay_as_they_are() -> None:
    assert marked(b'{"content":[]}', 1.0, 2.0) == b'{"content":[]}'


@pytest.mark.parametrize("result", [b"[]", b"null", b"", b"{", b'{"_meta":[]}', b'{"_meta":"x"}'])
def test_what_is_no_result_cannot_be_prepared(result: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        prepared(result)
