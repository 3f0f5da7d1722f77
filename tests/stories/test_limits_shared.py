"""Nobody gets more than the limit: however many ask at once, of however many gateways."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Event
from typing import Any

import pytest

from tests.stories.caller import Answer
from tests.stories.town import KEYS, PEOPLE, Town, server
from tests.stories.tricks import TRICKS
from tests.stories.upstream import Upstream, within
from tests.torhaus.store.redis.valkeys import HOST, Valkey
from torhaus.limits.words import UNCOUNTED

HOURLY = {"requests": 100, "window": 3600}
GATEWAYS = 4


@pytest.fixture(scope="module")
def far() -> Iterator[Upstream]:
    with Upstream(tricks={"get_slow": TRICKS["get_slow"]}) as running:
        yield running


@pytest.fixture(scope="module")
def alone(far: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One gateway that counts in its memory."""
    with Town(configuration(far), tmp_path_factory.mktemp("alone")) as running:
        yield running


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with closing(Valkey()) as one:
        yield one


@pytest.fixture(scope="module")
def four(
    far: Upstream, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Town]]:
    """Gateways that count together. Without Valkey, two count alone and two refuse."""
    home = tmp_path_factory.mktemp("four")
    towns = []
    for number in range(GATEWAYS):
        redis = {
            "addresses": f"{HOST}:{valkey.port}",
            "gateways": GATEWAYS,
            "timeout": "10s",  # with less, a busy machine is a server that is away
            "on_unavailable": "local" if number < 2 else "deny",
        }
        config = {**configuration(far), "storage": {"redis": redis}}
        towns.append(Town(config, home / str(number)))
    with ExitStack() as running, ThreadPoolExecutor(GATEWAYS) as pool:
        for town in towns:  # before they start: one that does not would leave the others running
            running.push(town)
        list(pool.map(lambda each: each.start(), towns))
        yield towns


def configuration(far: Upstream) -> dict[str, Any]:
    team = ["bob@example.com", "carol@example.com"]
    return {
        **PEOPLE,
        "groups": {"team": team},
        "mcpServers": {
            "hourly": server(far.url, rateLimit=HOURLY),
            "again": server(far.url, rateLimit=HOURLY),
            "few": server(far.url, rateLimit={"requests": 2, "window": 3600}),
            "slow": server(far.url, timeout="30s"),
            "paid": server(far.url),
            "free": server(far.url),
        },
        "limits": [
            {"name": "two at once", "servers": ["slow"], "concurrent": 2},
            {"name": "many", "servers": ["free"], "requests": 1_000_000, "window": "1h"},
        ],
        "plans": {"small": {"calls_per_month": 6, "groups": ["team"]}},
        "cost_tracking": [
            {
                "provider": "paid",
                "cost_per_api_call": "0.3 €",
                "monthly_budget": "1 €",
                "hard_stop": True,
            }
        ],
    }


def at_once(towns: Sequence[Town], at: str, calls: int) -> list[Answer]:
    """Alice's calls through all gateways in turn, each on a connection of its own."""
    with ExitStack() as open_:
        callers = [
            open_.enter_context(towns[number % len(towns)].caller(server=at))
            for number in range(calls)
        ]
        for number, caller in enumerate(callers):
            caller.send(caller.request(*caller.call("get_note", {"number": number})))
        return [caller.answer() for caller in callers]


def asked(town: Town, at: str, who: str = "ALICE") -> Answer:
    with town.caller(who, server=at) as caller:
        return caller.tool("get_note")


def allowed(answers: Sequence[Answer]) -> int:
    return sum(not each.message["result"].get("isError", False) for each in answers)


# -- one limit ----------------------------------------------------------------------------------


def test_three_hundred_calls_at_once_are_a_hundred_for_one_gateway(
    alone: Town, far: Upstream
) -> None:
    before = len(far.calls("get_note"))

    answers = at_once([alone], "hourly", 300)

    assert allowed(answers) == 100
    assert len(far.calls("get_note")) == before + 100


def test_three_hundred_calls_at_once_are_a_hundred_for_four_gateways(
    four: list[Town], far: Upstream
) -> None:
    before = len(far.calls("get_note"))

    answers = at_once(four, "hourly", 300)

    assert allowed(answers) == 100
    assert len(far.calls("get_note")) == before + 100
    assert [allowed([asked(town, "hourly")]) for town in four] == [0] * GATEWAYS
    assert within(60, lambda: statuses(four).count("success") == 100), statuses(four)
    assert len(statuses(four)) >= 300


def statuses(towns: Sequence[Town]) -> list[str]:
    return [each["result"]["status"] for town in towns for each in town.records()]


# -- what the caller is told --------------------------------------------------------------------


def test_a_model_reads_how_long_to_wait(alone: Town) -> None:
    answers = [asked(alone, "few") for _ in range(3)]

    refused = answers[-1].message["result"]
    assert allowed(answers) == 2
    assert refused["isError"] is True
    about = refused["_meta"]["torhaus/limit"]
    assert about["limit"] == "few: 2 calls per hour"
    seconds = about["retryAfterMs"] // 1000
    assert 3570 < seconds <= 3600
    assert answers[-1].text == (
        f"The limit is used up (few: 2 calls per hour). Wait {seconds} seconds (about 60 minutes) "
        "before calling again; do not retry."
    )


def test_everybody_sees_what_is_left(alone: Town) -> None:
    """Carol's budgets are her own, but for the plan of her team."""
    before = left(alone, "CAROL")

    asked(alone, "few", "CAROL")

    after = left(alone, "CAROL")
    assert before["few: 2 calls per hour"] == 2
    assert after["few: 2 calls per hour"] == 1
    assert after["hourly: 100 calls per hour"] == 100
    assert before["small: 6 calls per month"] - after["small: 6 calls per month"] == 1
    assert "small: 6 calls per month" not in left(alone, "ALICE")


def left(town: Town, who: str) -> dict[str, int]:
    connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)
    try:
        headers = {"authorization": f"Bearer {KEYS[f'{who}_KEY']}"}
        connection.request("GET", "/api/v1/me/limits", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return {each["limit"]: each["remaining"] for each in json.loads(answer.read())}
    finally:
        connection.close()


def test_a_caller_who_hangs_up_frees_his_slot(alone: Town, far: Upstream) -> None:
    far.marks.clear()
    with alone.caller(server="slow") as one, alone.caller(server="slow") as two:
        for caller in (one, two):
            caller.send(caller.request(*caller.call("get_slow")))
        assert within(60, lambda: far.marks.count("slow begun") == 2)

        refused = asked(alone, "slow")
        assert allowed([refused]) == 0
        assert refused.text.startswith("Too many calls at once (two at once: 2 calls at the same")

        one.close()
        assert within(60, lambda: allowed([asked(alone, "slow")]) == 1)


# -- a restart ----------------------------------------------------------------------------------


def test_plans_and_hard_stops_outlive_a_restart(alone: Town, far: Upstream) -> None:
    used = 6 - left(alone, "BOB")["small: 6 calls per month"]
    assert allowed([asked(alone, "free", "BOB") for _ in range(4 - used)]) == 4 - used
    assert allowed([asked(alone, "paid") for _ in range(2)]) == 2

    assert alone.stop() == 0
    alone.start()

    assert left(alone, "BOB")["small: 6 calls per month"] == 2
    before = len(far.calls("get_note"))
    team = [asked(alone, "free", who) for who in ("BOB", "CAROL", "BOB", "CAROL")]
    paid = [asked(alone, "paid") for _ in range(3)]
    assert (allowed(team), allowed(paid)) == (2, 1)
    assert len(far.calls("get_note")) == before + 3
    assert team[-1].text.startswith("The limit is used up (small: 6 calls per month). Wait ")
    assert paid[-1].text.startswith("The limit is used up (paid: 1 EUR per month). Wait ")


# -- without Valkey -----------------------------------------------------------------------------


def test_valkey_dies_under_load_and_comes_back(
    four: list[Town], far: Upstream, valkey: Valkey
) -> None:
    """No call fails, none too many is allowed, and who may not count alone says so."""
    stop = Event()
    with ThreadPoolExecutor(2 * GATEWAYS) as pool:
        loads = [pool.submit(_load, town, stop) for town in four for _ in range(2)]
        try:
            assert within(60, lambda: len(far.calls("list_notes")) > 200)
            valkey.kill()
            local = at_once(four[:2], "again", 120)
            denied = [asked(town, "again") for town in four[2:]]
            valkey.start()
            back = within(60, lambda: all(map(_counts, four[2:])))
        finally:
            stop.set()
        slowest, refused = zip(*(each.result(60) for each in loads), strict=True)

    assert back
    assert max(slowest) < 10.0  # of a call that waits for nobody; the machine may be busy
    assert sum(refused[:4]) == 0  # of the two that count alone meanwhile
    assert min(refused[4:]) > 0
    assert allowed(local) == 50
    assert allowed(denied) == 0
    assert denied[0].text == (
        "No limit can be checked now: the shared counters cannot be reached, and calls are not "
        "allowed uncounted. Wait 1 second, then call again."
    )
    # The new server is told of what was used meanwhile: of a hundred, half is left.
    # Whoever still counts alone says that nothing of his share is left.
    hourly = "again: 100 calls per hour"
    assert within(60, lambda: {left(town, "ALICE")[hourly] for town in four} == {50})
    assert allowed(at_once(four, "again", 100)) <= 50


def _load(town: Town, stop: Event) -> tuple[float, int]:
    """Call again and again: seconds of the slowest call, and how many were not counted."""
    slowest, refused = 0.0, 0
    with town.caller(server="free") as caller:
        while not stop.is_set():
            began = time.monotonic()
            answer = caller.tool("list_notes")
            slowest = max(slowest, time.monotonic() - began)
            if not allowed([answer]):
                assert UNCOUNTED in answer.text
                refused += 1
    return slowest, refused


def _counts(town: Town) -> bool:
    """Whether it counts together with the others again."""
    return UNCOUNTED not in asked(town, "few", "CAROL").text
