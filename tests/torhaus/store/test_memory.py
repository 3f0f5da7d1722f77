import random
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.caching import Selector
from torhaus.model.ports import Cache, CacheStats, Entry, Listed, Miss
from torhaus.model.servers import Era
from torhaus.store.memory import ENTRY_OVERHEAD, REMEMBERED, MemoryCache

# Typed, so that a checker sees whether the class keeps the promises of the port.
PORT: Cache = MemoryCache()


def run(waiting: Coroutine[Any, Any, Any]) -> Any:
    """These never suspend, so one step finishes them."""
    try:
        waiting.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it suspended")


def entry(result: bytes = b"{}", expires: float = 100.0, **more: Any) -> Entry:
    return Entry(result, Era.MODERN, more.pop("stored", 0.0), expires, **more)


async def put(cache: MemoryCache, key: bytes, kept: Entry, tag: str) -> None:
    """What was fetched since just now."""
    await cache.keep(key, kept, tag, cache.stamp())


async def get(cache: MemoryCache, key: bytes, now: float) -> Entry | None:
    found = await cache.find(key, "any.thing", now)
    return None if isinstance(found, Miss) else found


async def drop(cache: MemoryCache, tag: str) -> int:
    return await cache.purge(Selector(tag=tag))


def test_an_entry_is_found_until_it_expires() -> None:
    cache = MemoryCache()
    run(put(cache, b"k", entry(), "github.x"))

    assert run(get(cache, b"k", 99.9)) == entry()
    assert run(get(cache, b"k", 100.0)) is None
    assert cache.stats().entries == 0
    assert cache.stats().bytes == 0


def test_an_empty_answer_is_an_answer() -> None:
    cache = MemoryCache()
    run(put(cache, b"k", entry(b""), "github.x"))

    assert run(get(cache, b"k", 1.0)) is not None


def test_what_was_used_longest_ago_makes_room() -> None:
    each = ENTRY_OVERHEAD + 1 + 2 + len("s.x")
    cache = MemoryCache(max_bytes=3 * each)
    for name in (b"a", b"b", b"c"):
        run(put(cache, name, entry(), "s.x"))
    run(get(cache, b"a", 1.0))

    run(put(cache, b"d", entry(), "s.x"))

    assert [name for name in b"abcd" if run(get(cache, bytes([name]), 1.0))] == list(b"acd")
    assert cache.stats() == CacheStats(entries=3, bytes=3 * each, evicted=1, hits=4, misses=1)


def test_an_entry_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() -> None:
    cache = MemoryCache(max_bytes=2000)
    run(put(cache, b"a", entry(), "s.x"))

    run(put(cache, b"b", entry(b"x" * 3000), "s.x"))

    assert run(get(cache, b"a", 1.0)) is not None
    assert run(get(cache, b"b", 1.0)) is None


def test_a_tag_drops_a_tool_or_a_whole_server() -> None:
    cache = MemoryCache()
    for at, tag in enumerate(["a.x", "a.x", "a.y", "a.y.z", "ab.x"]):
        run(put(cache, bytes([at]), entry(), tag))

    assert run(drop(cache, "a.x")) == 2
    assert run(drop(cache, "a.x")) == 0
    assert run(drop(cache, "a.y.z")) == 1
    assert run(drop(cache, "a")) == 1
    assert run(drop(cache, "nobody")) == 0
    assert cache.stats().entries == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "drop"]),
            st.integers(0, 6),
            st.integers(0, 400),
            st.sampled_from(["a.x", "a.y", "b.x", "a", "b"]),
        ),
        max_size=60,
    )
)
def test_the_books_always_balance(acts: list[tuple[str, int, int, str]]) -> None:
    cache = MemoryCache(max_bytes=4000)
    for now, (act, name, size, tag) in enumerate(acts):
        if act == "put" and "." in tag:
            run(put(cache, bytes([name]), entry(b"x" * size, now + 5.0), tag))
        elif act == "get":
            found = run(get(cache, bytes([name]), float(now)))
            assert found is None or found.expires > now
        elif act == "drop":
            run(drop(cache, tag))
        assert 0 <= cache.stats().bytes <= 4000

    run(drop(cache, "a"))
    run(drop(cache, "b"))
    assert (cache.stats().entries, cache.stats().bytes) == (0, 0)


def missed(cache: MemoryCache, key: bytes = b"k", now: float = 1.0) -> Miss:
    found = run(cache.find(key, "github.list_issues", now))
    assert isinstance(found, Miss)
    return found


def test_what_was_fetched_is_found() -> None:
    cache = MemoryCache()

    assert run(cache.keep(b"k", entry(), "github.list_issues", missed(cache).stamp))

    assert run(cache.find(b"k", "github.list_issues", 1.0)) == entry()
    assert (cache.stats().hits, cache.stats().misses) == (1, 1)


@pytest.mark.parametrize(
    ("selector", "refused"),
    [
        (Selector(tag="github"), True),
        (Selector(tag="github.list_issues"), True),
        (Selector(tag="github.listIssues"), True),
        (Selector(tag="github.list_issues", where=(("repo", "myorg/api"),)), True),
        (Selector(tag="github.list_issues", where=(("repo", "myorg/web"),)), False),
        (Selector(tag="github.list_issues", owner="u-alice"), False),
        (Selector(tag="github.get_issue"), False),
        (Selector(tag="sentry"), False),
    ],
)
def test_what_was_fetched_while_something_was_forgotten_is_kept_only_if_it_is_not_meant(
    selector: Selector, refused: bool
) -> None:
    cache = MemoryCache()
    stamp = missed(cache).stamp

    run(cache.purge(selector))
    kept = run(
        cache.keep(b"k", entry(arguments=b'{"repo":"myorg/api"}'), "github.list_issues", stamp)
    )

    assert kept is not refused
    assert cache.stats().refused == int(refused)
    assert isinstance(run(cache.find(b"k", "github.list_issues", 1.0)), Miss) is refused


def test_a_call_under_way_may_be_joined_until_something_of_its_tool_is_forgotten() -> None:
    cache = MemoryCache()
    stamp = missed(cache).stamp

    run(cache.purge(Selector(tag="github.get_issue")))
    assert cache.fits(stamp, "github.list_issues")

    run(cache.purge(Selector(tag="github.list_issues", where=(("repo", "other"),))))
    assert not cache.fits(stamp, "github.list_issues")
    assert cache.fits(missed(cache).stamp, "github.list_issues")


def test_after_more_turns_than_are_remembered_nothing_old_is_kept() -> None:
    cache = MemoryCache()
    stamp = missed(cache).stamp
    for _ in range(REMEMBERED):
        run(cache.purge(Selector(tag="sentry")))
    assert cache.fits(stamp, "github.list_issues")

    run(cache.purge(Selector(tag="sentry")))

    assert not cache.fits(stamp, "github.list_issues")
    assert not run(cache.keep(b"k", entry(), "github.list_issues", stamp))


def test_clearing_forgets_what_is_kept_and_what_is_on_its_way() -> None:
    cache = MemoryCache()
    old = missed(cache).stamp
    run(cache.keep(b"k", entry(), "github.list_issues", old))

    cache.clear()

    fresh = missed(cache).stamp
    assert not run(cache.keep(b"k", entry(), "github.list_issues", old))
    assert run(cache.keep(b"k", entry(), "github.list_issues", fresh))
    run(cache.purge(Selector(tag="sentry")))
    assert cache.fits(fresh, "github.list_issues")


def test_a_selector_forgets_what_it_means_and_nothing_else() -> None:
    cache = MemoryCache()
    for at, (tag, arguments, owner) in enumerate(
        [
            ("github.list_issues", b'{"repo":"myorg/api"}', None),
            ("github.list_issues", b'{"repo":"myorg/web"}', None),
            ("github.list_issues", b"", None),
            ("github.my_issues", b"{}", "u-alice"),
            ("github.my_issues", b"{}", "u-bob"),
        ]
    ):
        run(put(cache, bytes([at]), entry(arguments=arguments, owner=owner), tag))

    repo = Selector(tag="github.list_issues", where=(("repo", "myorg/api"),))
    assert run(cache.purge(repo)) == 2
    assert run(cache.purge(Selector(tag="github", owner="u-alice"))) == 1
    assert cache.stats().entries == 2
    assert cache.stats().dropped == 3


def test_an_expired_entry_is_shown_as_stale_while_it_is_kept() -> None:
    cache = MemoryCache()
    run(put(cache, b"k", entry(expires=10.0, stale=5.0), "github.list_issues"))

    assert missed(cache, now=14.9).stale == entry(expires=10.0, stale=5.0)
    assert missed(cache, now=15.0).stale is None
    assert cache.stats().entries == 0


def test_people_see_what_is_kept_newest_first() -> None:
    cache = MemoryCache()
    for at in range(5):
        run(put(cache, bytes([at]), entry(b"x" * at, expires=10.0 + at, stored=at), "s.x"))
    run(put(cache, b"other", entry(), "t.x"))

    found = run(cache.listed(Selector(tag="s"), 2, 11.5))

    assert found == [
        Listed("s.x", b"", None, 4, 4.0, 14.0),
        Listed("s.x", b"", None, 3, 3.0, 13.0),
    ]


READ, WRITE, WRITTEN, ANSWERED = range(4)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=80))
def test_no_interleaving_of_reads_and_writes_shows_what_a_write_has_changed(
    acts: list[tuple[int, int]],
) -> None:
    assert interleave(acts) >= 0


def test_not_even_in_ten_thousand_steps() -> None:
    chance = random.Random(1)
    acts = chance.choices([READ, WRITE, WRITTEN, ANSWERED], [6, 1, 1, 5], k=10_000)

    assert interleave([(act, chance.randrange(3)) for act in acts]) > 1000


def interleave(acts: list[tuple[int, int]]) -> int:
    """Three things, read and written in this order, steps of several calls mixed; the hits."""
    cache = MemoryCache()
    truth, told = [0, 0, 0], [0, 0, 0]  # what the server holds; what answered writes have said
    reading: list[tuple[int, Any, int]] = []
    hits = 0
    for act, thing in acts:
        key, where = b"%d" % thing, (("repo", f"o/{thing}"),)
        arguments = b'{"repo":"o/%d"}' % thing
        if act == READ:
            found = run(cache.find(key, "s.get", 1.0))
            if isinstance(found, Miss):
                reading.append((thing, found.stamp, truth[thing]))
            else:
                assert int(found.result) >= told[thing]
                hits += 1
        elif act == WRITE:
            truth[thing] += 1
        elif act == WRITTEN:
            run(cache.purge(Selector(tag="s.get", where=where)))
            told[thing] = truth[thing]
        elif reading:
            of, stamp, seen = reading.pop(thing % len(reading))
            arguments = b'{"repo":"o/%d"}' % of
            if cache.fits(stamp, "s.get"):
                assert seen >= told[of]
            late = entry(b"%d" % seen, arguments=arguments)
            run(cache.keep(b"%d" % of, late, "s.get", stamp))
    return hits
