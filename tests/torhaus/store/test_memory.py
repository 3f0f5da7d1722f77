from collections.abc import Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.ports import Cache, Charge, Counters, Entry, Shortage
from torhaus.model.servers import Era, Window
from torhaus.store.memory import ENTRY_OVERHEAD, CacheStats, MemoryCache, MemoryCounters

# Typed, so that a checker sees whether the classes keep the promises of the ports.
PORTS: tuple[Cache, Counters] = (MemoryCache(), MemoryCounters())


def run(waiting: Coroutine[Any, Any, Any]) -> Any:
    """These never suspend, so one step finishes them."""
    try:
        waiting.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it suspended")


def entry(result: bytes = b"{}", expires: float = 100.0) -> Entry:
    return Entry(result, Era.MODERN, 0.0, expires)


def charge(key: str, requests: int = 2, seconds: float = 60.0) -> Charge:
    return Charge(key, Window(requests, seconds), key)


def test_an_entry_is_found_until_it_expires() -> None:
    cache = MemoryCache()
    run(cache.put(b"k", entry(), "github.x"))

    assert run(cache.get(b"k", 99.9)) == entry()
    assert run(cache.get(b"k", 100.0)) is None
    assert cache.stats().entries == 0
    assert cache.stats().bytes == 0


def test_an_empty_answer_is_an_answer() -> None:
    cache = MemoryCache()
    run(cache.put(b"k", entry(b""), "github.x"))

    assert run(cache.get(b"k", 1.0)) is not None


def test_what_was_used_longest_ago_makes_room() -> None:
    each = ENTRY_OVERHEAD + 1 + 2 + len("s.x")
    cache = MemoryCache(max_bytes=3 * each)
    for name in (b"a", b"b", b"c"):
        run(cache.put(name, entry(), "s.x"))
    run(cache.get(b"a", 1.0))

    run(cache.put(b"d", entry(), "s.x"))

    assert [name for name in b"abcd" if run(cache.get(bytes([name]), 1.0))] == list(b"acd")
    assert cache.stats() == CacheStats(entries=3, bytes=3 * each, evicted=1)


def test_an_entry_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() -> None:
    cache = MemoryCache(max_bytes=2000)
    run(cache.put(b"a", entry(), "s.x"))

    run(cache.put(b"b", entry(b"x" * 3000), "s.x"))

    assert run(cache.get(b"a", 1.0)) is not None
    assert run(cache.get(b"b", 1.0)) is None


def test_a_tag_drops_a_tool_or_a_whole_server() -> None:
    cache = MemoryCache()
    for at, tag in enumerate(["a.x", "a.x", "a.y", "a.y.z", "ab.x"]):
        run(cache.put(bytes([at]), entry(), tag))

    assert run(cache.drop("a.x")) == 2
    assert run(cache.drop("a.x")) == 0
    assert run(cache.drop("a.y.z")) == 1
    assert run(cache.drop("a")) == 1
    assert run(cache.drop("nobody")) == 0
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
            run(cache.put(bytes([name]), entry(b"x" * size, now + 5.0), tag))
        elif act == "get":
            found = run(cache.get(bytes([name]), float(now)))
            assert found is None or found.expires > now
        elif act == "drop":
            run(cache.drop(tag))
        assert 0 <= cache.stats().bytes <= 4000

    run(cache.drop("a"))
    run(cache.drop("b"))
    assert (cache.stats().entries, cache.stats().bytes) == (0, 0)


def test_a_used_up_window_says_how_long_to_wait() -> None:
    counters = MemoryCounters()
    assert run(counters.spend([charge("a")], 0.0)) is None
    assert run(counters.spend([charge("a")], 10.0)) is None

    assert run(counters.spend([charge("a")], 20.0)) == Shortage(charge("a"), 40.0)
    assert run(counters.spend([charge("a")], 60.0)) is None


def test_all_charges_are_taken_or_none() -> None:
    counters = MemoryCounters()
    tight, wide = charge("tight", 1), charge("wide", 2)
    assert run(counters.spend([wide, tight], 0.0)) is None

    for now in (1.0, 2.0, 3.0):
        shortage = run(counters.spend([wide, tight], now))
        assert shortage is not None
        assert shortage.charge is tight

    assert run(counters.spend([wide], 4.0)) is None
    assert run(counters.spend([wide], 5.0)) is not None


def test_the_longest_wait_is_the_one_told() -> None:
    counters = MemoryCounters()
    short, long = charge("short", 1, 10.0), charge("long", 1, 100.0)
    run(counters.spend([short, long], 0.0))

    for both in ([short, long], [long, short]):
        shortage = run(counters.spend(both, 1.0))
        assert shortage == Shortage(long, 99.0)


def test_one_window_charged_twice_counts_twice() -> None:
    counters = MemoryCounters()

    assert run(counters.spend([charge("a"), charge("a"), charge("a")], 0.0)) is not None
    assert run(counters.spend([charge("a"), charge("a")], 0.0)) is None
    assert run(counters.spend([charge("a")], 0.0)) is not None


def test_nothing_to_charge_is_never_short() -> None:
    assert run(MemoryCounters().spend([], 0.0)) is None


def test_idle_windows_are_forgotten() -> None:
    counters = MemoryCounters()
    for at in range(5000):
        run(counters.spend([charge(f"user-{at}", seconds=60.0)], at * 1.0))

    assert counters.windows() < 200


def test_refused_calls_leave_nothing_behind() -> None:
    counters = MemoryCounters()
    for at in range(100):
        run(counters.spend([charge(f"user-{at}", requests=0)], 0.0))

    assert counters.windows() == 0


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abc"), min_size=1), st.integers(0, 16)), max_size=80
    )
)
def test_counters_agree_with_counting_every_use(
    asked: list[tuple[set[str], int]],
) -> None:
    windows = {"a": Window(1, 1.0), "b": Window(3, 2.0), "c": Window(2, 4.0)}
    counters = MemoryCounters()
    uses: dict[str, list[float]] = {name: [] for name in windows}
    now = 1_700_000_000.0
    for names, quarters in asked:
        now += quarters / 4
        charges = [Charge(name, windows[name], name) for name in sorted(names)]
        free = all(
            sum(use > now - windows[name].seconds for use in uses[name]) < windows[name].requests
            for name in names
        )

        shortage = run(counters.spend(charges, now))

        assert (shortage is None) == free
        for name in names if free else ():
            uses[name].append(now)
