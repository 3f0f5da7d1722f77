import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.torhaus.audit.scene import ALLOWED, GITHUB, call
from torhaus.model.cost import Costs, Price
from torhaus.model.limits import Scarcity
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Held,
    Limited,
    Refused,
    Served,
)
from torhaus.model.ports import CacheStats
from torhaus.model.servers import ToolClass
from torhaus.model.stops import Stop, StopKind
from torhaus.model.verdict import Deny, Hold
from torhaus.watch.labels import MAX_NAMES
from torhaus.watch.metrics import Gauges, Metrics
from torhaus.watch.tally import MAX_KINDS

FRESH = Answered(ALLOWED, Answer(result=b"{}"))
MISS = Answered(ALLOWED, Answer(result=b"{}"), cacheable=True)
HIT = Answered(ALLOWED, Answer(result=b"{}"), cached=True, cacheable=True)
OLD = msgspec.structs.replace(HIT, served=Served.STALE)
JOINED = msgspec.structs.replace(HIT, served=Served.COALESCED)
REFRESHED = msgspec.structs.replace(OLD, refreshed=True)
REFUSED = Refused(Deny("no_delete", "restricted", "may not delete"))
HELD = Held(Hold("four eyes", "somebody agrees", ALLOWED), "apr_1", Answer(result=b"{}"))
LIMITED = Limited(ALLOWED, "100 per hour", 12.0)
SAVED = {"cache_hits_total": 1, "api_calls_saved": 1}
READS = ToolClass(actions=frozenset({"read"}), type="issues")
LISTED = {"list_issues"}


def metrics(gauges: Gauges | None = None) -> Metrics:
    return Metrics(gauges or Gauges(), known=lambda _server: LISTED)


def sample(of: Metrics, name: str, **labels: str) -> float | None:
    text = of.render()[0].decode()
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            if each.name == name and labels.items() <= each.labels.items():
                return each.value
    return None


def methods(of: Metrics) -> set[str]:
    families: Any = text_string_to_metric_families(of.render()[0].decode())
    found = [family for family in families if family.name == "mcp_gateway_requests"]
    return {each.labels["method"] for each in found[0].samples}


def test_every_name_is_printed_as_in_the_product_text():
    seen = metrics()
    seen.ended(call(), MISS, "success", 0.234)

    lines = seen.render()[0].decode().splitlines()

    assert (
        'mcp_gateway_requests_total{mcp_server="github",method="list_issues",status="success"} 1.0'
        in lines
    )
    assert 'mcp_gateway_request_duration_seconds_count{mcp_server="github"} 1.0' in lines
    assert 'mcp_gateway_request_duration_seconds_sum{mcp_server="github"} 0.234' in lines
    assert 'mcp_gateway_cache_hits_total{mcp_server="github"} 0.0' in lines
    assert 'mcp_gateway_cache_misses_total{mcp_server="github"} 1.0' in lines
    assert 'mcp_gateway_api_calls_total{mcp_server="github"} 1.0' in lines
    assert 'mcp_gateway_api_calls_saved{mcp_server="github"} 0.0' in lines


def test_the_page_is_prometheus_text():
    assert metrics().render()[1].startswith("text/plain; version=")


@pytest.mark.parametrize(
    ("outcome", "status", "counted"),
    [
        (FRESH, "success", {"api_calls_total": 1}),
        (MISS, "success", {"api_calls_total": 1, "cache_misses_total": 1}),
        (MISS, "error", {"api_calls_total": 1, "cache_misses_total": 1}),
        (HIT, "success", SAVED),
        (JOINED, "success", {**SAVED, "cache_coalesced_total": 1}),
        (OLD, "success", {**SAVED, "cache_stale_total": 1}),
        (REFRESHED, "success", {**SAVED, "cache_stale_total": 1, "api_calls_total": 1}),
        (Failed(ALLOWED, "down"), "error", {"api_calls_total": 1}),
        (Failed(ALLOWED, "down", joined=True), "error", {}),
        (REFUSED, "denied", {}),
        (LIMITED, "limited", {"rate_limited_total": 1}),
        (HELD, "pending", {}),
        (Abandoned(ALLOWED), "cancelled", {}),
    ],
)
def test_every_end_is_counted_where_it_belongs(
    outcome: Any, status: str, counted: Mapping[str, float]
):
    seen = metrics()

    seen.ended(call(), outcome, status, 0.01)

    assert sample(seen, "mcp_gateway_requests_total", method="list_issues", status=status) == 1
    for name in (
        "api_calls_total",
        "api_calls_saved",
        "cache_hits_total",
        "cache_misses_total",
        "cache_coalesced_total",
        "cache_stale_total",
        "rate_limited_total",
    ):
        assert sample(seen, f"mcp_gateway_{name}", mcp_server="github") == counted.get(name, 0)


def test_durations_fall_into_cumulative_buckets():
    seen = metrics()
    for seconds in (0.0005, 0.005, 0.3, 1000.0):
        seen.ended(call(), FRESH, "success", seconds)

    name = "mcp_gateway_request_duration_seconds_bucket"
    assert [
        sample(seen, name, le=bound) for bound in ("0.001", "0.0025", "0.005", "0.5", "60.0")
    ] == [1, 1, 2, 3, 3]
    assert sample(seen, name, le="+Inf") == 4


def test_servers_are_counted_apart():
    seen = metrics()
    sentry = msgspec.structs.replace(GITHUB, name="sentry")
    seen.ended(call(), FRESH, "success", 0.1)
    seen.ended(call(server=sentry), FRESH, "success", 0.1)
    seen.ended(call(server=sentry), FRESH, "success", 0.1)

    assert sample(seen, "mcp_gateway_api_calls_total", mcp_server="github") == 1
    assert sample(seen, "mcp_gateway_api_calls_total", mcp_server="sentry") == 2


def test_names_that_callers_invent_share_one_label():
    seen = metrics()
    for i in range(1000):
        seen.ended(call(operation=f"made_up_{i}"), REFUSED, "denied", 0.1)
        seen.ended(call(method=f"made/up/{i}", operation=f"made/up/{i}"), REFUSED, "denied", 0.1)

    assert methods(seen) == {"other"}
    assert sample(seen, "mcp_gateway_requests_total", method="other", status="denied") == 2000


def test_a_tool_in_the_servers_list_has_its_own_label():
    seen = metrics()
    seen.ended(call(operation="get_weather", hints={"readOnlyHint": True}), FRESH, "success", 0.1)

    assert methods(seen) == {"get_weather"}


def test_a_tool_of_the_shipped_table_has_a_label_even_when_refused():
    github = msgspec.structs.replace(GITHUB, classes={"getissue": READS})
    seen = metrics()

    seen.ended(call(server=github, operation="get_issue"), REFUSED, "denied", 0.1)

    assert methods(seen) == {"get_issue"}


def test_only_a_few_spellings_of_a_tool_have_a_label():
    github = msgspec.structs.replace(GITHUB, classes={"getissue": READS})
    seen = metrics()
    for name in ("get_issue", "getIssue", "g_e_t_issue", "GETISSUE", "get-issue", "getissue"):
        seen.ended(call(server=github, operation=name), REFUSED, "denied", 0.1)

    assert methods(seen) == {"get_issue", "getIssue", "g_e_t_issue", "other"}
    assert sample(seen, "mcp_gateway_requests_total", method="other") == 3


def test_the_protocols_methods_have_labels():
    seen = metrics()
    seen.ended(call(method="tools/list", operation="tools/list"), FRESH, "success", 0.1)

    assert methods(seen) == {"tools/list"}


def test_a_server_with_endless_tools_fills_only_so_many_labels():
    seen = metrics()
    for i in range(MAX_NAMES + 100):
        seen.ended(call(operation=f"t{i}", hints={"title": "x"}), FRESH, "success", 0.1)

    assert len(methods(seen)) == MAX_NAMES + 1
    assert sample(seen, "mcp_gateway_requests_total", method="other") == 100


def test_a_name_of_excessive_length_has_no_label():
    seen = metrics()
    seen.ended(call(operation="x" * 129, hints={"title": "x"}), FRESH, "success", 0.1)

    assert methods(seen) == {"other"}


def test_an_unheard_of_status_is_an_error():
    seen = metrics()
    seen.ended(call(), FRESH, "surprised", 0.1)
    seen.ended(call(), FRESH, "surprised", 0.1)

    assert sample(seen, "mcp_gateway_requests_total", status="error") == 2
    assert sample(seen, "mcp_gateway_requests_total", status="surprised") is None


def test_gauges_show_what_is_so_now():
    healthy = [True]
    seen = metrics(
        Gauges(
            audit_healthy=lambda: healthy[0],
            sessions=lambda: 7,
            streams=lambda: 2,
            waiting=lambda: 3,
            overdue=lambda: 4,
        )
    )

    assert sample(seen, "mcp_gateway_audit_healthy") == 1
    healthy[0] = False
    assert sample(seen, "mcp_gateway_audit_healthy") == 0
    assert sample(seen, "mcp_gateway_active_sessions") == 7
    assert sample(seen, "mcp_gateway_active_streams") == 2
    assert sample(seen, "mcp_gateway_waiting_calls") == 3
    assert sample(seen, "mcp_gateway_credentials_overdue") == 4


def test_the_version_and_the_process_are_shown():
    seen = metrics()

    assert sample(seen, "mcp_gateway_build_info") == 1
    assert sample(seen, "process_resident_memory_bytes") is not None


def test_two_meters_do_not_share_numbers():
    one, two = metrics(), metrics()

    one.ended(call(), FRESH, "success", 0.1)

    assert sample(two, "mcp_gateway_api_calls_total") is None


def test_a_page_can_be_rendered_while_calls_end():
    seen = metrics()
    pages: list[bytes] = []
    thread = threading.Thread(
        target=lambda: pages.extend(seen.render()[0] for _ in range(20)), daemon=True
    )
    thread.start()
    calls = 0
    while calls == 0 or thread.is_alive():
        server = msgspec.structs.replace(GITHUB, name=f"s{calls % 50}")
        seen.ended(
            call(server=server, operation=f"t{calls % 300}", hints={"t": 1}), FRESH, "success", 0.1
        )
        calls += 1
    thread.join()

    assert len(pages) == 20
    assert calls > 0


def test_what_was_masked_is_counted_by_server_and_kind():
    seen = metrics()

    seen.redacted("github", {"email": 2, "card": 1})
    seen.redacted("github", {"email": 1})
    seen.redacted("sentry", {"email": 1})

    name = "mcp_gateway_redactions_total"
    assert sample(seen, name, mcp_server="github", kind="email") == 3
    assert sample(seen, name, mcp_server="github", kind="card") == 1
    assert sample(seen, name, mcp_server="sentry", kind="email") == 1


def test_kinds_do_not_grow_without_end():
    seen = metrics()

    for number in range(MAX_KINDS + 50):
        seen.redacted("github", {f"k{number}": 1})

    name = "mcp_gateway_redactions_total"
    assert sample(seen, name, mcp_server="github", kind=f"k{MAX_KINDS - 1}") == 1
    assert sample(seen, name, mcp_server="github", kind="other") == 50


def test_news_for_people_and_the_database_are_counted() -> None:
    shown = metrics(Gauges(state_healthy=lambda: False, notices=lambda: {"sent": 3, "failed": 1}))

    assert sample(shown, "mcp_gateway_state_healthy") == 0
    assert sample(shown, "mcp_gateway_notices_total", outcome="sent") == 3
    assert sample(shown, "mcp_gateway_notices_total", outcome="failed") == 1


def test_the_cache_is_shown() -> None:
    stats = CacheStats(entries=3, bytes=4096, evicted=2)
    shown = metrics(Gauges(cache=lambda: stats))

    assert sample(shown, "mcp_gateway_cache_entries") == 3
    assert sample(shown, "mcp_gateway_cache_bytes") == 4096
    assert sample(shown, "mcp_gateway_cache_evictions_total") == 2


@pytest.mark.parametrize("up", [True, False])
def test_whether_redis_answers_is_shown_where_there_is_one(up: bool) -> None:
    assert sample(metrics(Gauges(redis_up=lambda: up)), "mcp_gateway_redis_up") == up
    assert sample(metrics(), "mcp_gateway_redis_up") is None


def test_money_spent_and_saved_is_counted_at_the_price_of_the_moment() -> None:
    seen = Metrics(Gauges(), costs=Costs(servers={"github": Price(Decimal("0.001"), "EUR")}))
    for outcome in (MISS, HIT, HIT, REFRESHED, REFUSED, LIMITED):
        seen.ended(call(), outcome, "success", 0.1)
    seen.costs = Costs(servers={"github": Price(Decimal("0.5"), "EUR")})

    seen.ended(call(), FRESH, "success", 0.1)
    seen.ended(call(method="tools/list", operation="tools/list"), FRESH, "success", 0.1)

    labels = {"mcp_server": "github", "currency": "EUR"}
    assert sample(seen, "mcp_gateway_cost_total", **labels) == 0.502
    assert sample(seen, "mcp_gateway_cost_saved", **labels) == 0.003


def test_without_prices_no_money_is_shown() -> None:
    seen = metrics()
    seen.ended(call(), MISS, "success", 0.1)

    assert sample(seen, "mcp_gateway_cost_total") is None


def test_what_is_left_is_told_by_limit_and_never_by_person():
    shown = metrics(Gauges(limits=lambda: {"github: 100 calls per hour": Scarcity(3, 12.5, 1)}))

    limit = {"limit": "github: 100 calls per hour"}
    assert sample(shown, "mcp_gateway_limit_remaining", **limit) == 3
    assert sample(shown, "mcp_gateway_limit_reset_seconds", **limit) == 12.5
    assert sample(shown, "mcp_gateway_limit_exhausted", **limit) == 1


def test_calls_without_a_record_are_counted() -> None:
    shown = metrics(Gauges(audit_lost=lambda: 7))

    assert sample(shown, "mcp_gateway_audit_lost_total") == 7


def test_what_is_stopped_is_counted_by_kind_while_it_is() -> None:
    def stop(kind: StopKind, expires: float | None = None) -> Stop:
        return Stop(
            id="s",
            kind=kind,
            target="t",
            reason="r",
            created=0.0,
            created_by="dana@example.org",
            expires=expires,
        )

    stops = [stop(StopKind.TOOL), stop(StopKind.TOOL), stop(StopKind.USER), stop(StopKind.KEY, 1.0)]
    shown = metrics(Gauges(stops=lambda: stops))

    found = {each: sample(shown, "torhaus_stops_active", kind=each.value) for each in StopKind}

    assert found == {"tool": 2, "user": 1, "key": 0, "server": 0}
