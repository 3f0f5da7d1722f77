"""What the bench of the cache concludes from its figures, and measures without a network."""

import json

import pytest
from bench.cache import LONG, PROMISES, configuration, in_memory, report

from torhaus.config.load import load_text


def test_every_promise_is_kept_up_to_its_limit() -> None:
    assert report(dict(PROMISES)) is True


@pytest.mark.parametrize("name", PROMISES)
def test_one_missed_promise_is_a_failure(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report({**PROMISES, name: PROMISES[name] * 1.01}) is False

    assert f"FAIL {name}" in capsys.readouterr().out


@pytest.mark.parametrize("ttl", [None, LONG])
def test_its_gateways_keep_answers_only_where_they_should(ttl: float | None) -> None:
    text = configuration(None, ttl)
    server = load_text(text, "bench", {"BENCH_KEY": "k" * 32}).rules.servers["everything"]

    rule = server.caching.rule("echo")

    assert (None if rule is None else rule.ttl) == ttl
    assert "storage" not in json.loads(text)


def test_a_budget_in_memory_is_checked_within_its_time() -> None:
    assert 0 < min(in_memory(5000) for _ in range(5)) < 20
