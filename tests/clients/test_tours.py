"""Unmodified clients do all they can with servers of both eras, over every transport."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import evidence
from tests.clients.tours import FEATURES, SOME, TARGETS, TOURISTS, Seen, Tourist, cannot, journey

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def results(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Tourist, Seen]]:
    home: Path = tmp_path_factory.mktemp("tours")
    with journey(node, home) as one:
        yield one.seen(SOME)


@pytest.mark.parametrize(
    ("tourist", "target"),
    [(tourist, target) for tourist, targets in SOME.items() for target in targets],
    ids=str,
)
def test_a_client_does_all_that_it_can(
    tourist: Tourist, target: str, results: dict[Tourist, Seen]
) -> None:
    wanted = {each: "unable" if cannot(tourist, each) else "yes" for each in FEATURES}

    assert results[tourist][target] == wanted


def test_the_document_says_what_was_seen(results: dict[Tourist, Seen]) -> None:
    in_order = {tourist: results[tourist] for tourist in TOURISTS}

    assert evidence.agrees(evidence.written(), in_order, evidence.marked()), "run `make clients`"


@pytest.mark.parametrize(
    ("said", "agrees"),
    [("| roots | 2 of 2 |", True), ("| roots | 1 of 2 |", True), ("| roots | 0 of 2 |", False)],
)
def test_the_document_may_say_what_some_tours_leave_open(said: str, agrees: bool) -> None:
    seen = dict.fromkeys(TARGETS, dict.fromkeys(FEATURES, "yes"))
    less = {target: each for target, each in seen.items() if target != "old"}
    whole = evidence.tables({TOURISTS[0]: seen, TOURISTS[7]: seen}, ())
    document = whole.replace("| roots | 2 of 2 |", said)

    assert evidence.agrees(document, {TOURISTS[0]: seen, TOURISTS[7]: less}, ()) is agrees


def test_the_plan_leaves_out_no_client_and_no_target() -> None:
    assert list(SOME) == list(TOURISTS)
    assert {target for targets in SOME.values() for target in targets} == set(TARGETS)


def test_a_cell_without_a_test_says_so() -> None:
    seen = {target: dict.fromkeys(FEATURES, "yes") for target in TARGETS}
    one = {**seen, "old": {**seen["old"], "roots": "TimeoutError"}}
    results = {TOURISTS[0]: seen, TOURISTS[7]: one}

    text = evidence.tables(results, {("tasks", "legacy", "legacy")})

    assert "| roots | 1 of 2 | 2 of 2 | 2 of 2 | 2 of 2 | 2 of 2 | no test |" in text
    assert "| tasks | yes | no test | no test | no test |" in text
