"""A change of the configuration takes effect while the gateway runs; a bad one does not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    with Town({"mcpServers": {"scripted": server(upstream.url)}}, home) as running:
        yield running


def status_of(town: Town, name: str, headers: dict[str, str] | None = None) -> int:
    with town.caller(server=name) as caller:
        body, routing = caller.call("get_note")
        return caller.ask(body, {**dict(routing), **(headers or {})}).status


def test_a_new_server_can_be_called_without_a_restart(own: Town, upstream: Upstream) -> None:
    assert status_of(own, "second") == 404
    with own.caller() as session:
        session.begin()

        own.write(
            {
                **own.config,
                "mcpServers": {**own.config["mcpServers"], "second": server(upstream.url)},
            }
        )

        assert within(60, lambda: status_of(own, "second") == 200)
        assert "get_note" in session.tool("get_note").text


BAD = {
    "no YAML": "mcpServers: [",
    "an unknown key": json.dumps({"mcpServer": {}}),
    "a missing variable": json.dumps(
        {"users": [{"email": "a@b.c", "role": "x", "api_keys": ["${NO}"]}]}
    ),
    "nothing": "",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_and_the_old_one_stays(bad: str, own: Town) -> None:
    own.write(bad)

    assert within(60, lambda: "config.refused" in own.output())
    ready = json.loads(own.get("/ready") or "{}")
    assert ready["status"] == "ready"
    assert ready["configuration"].startswith("refused")
    assert "refused" in (own.get("/status") or "")
    assert own.alive()

    own.write(own.config)

    assert within(60, lambda: json.loads(own.get("/ready") or "{}")["configuration"] == "ok")
    assert "refused" not in (own.get("/status") or "")


def test_a_signal_reads_the_file_again(own: Town) -> None:
    own.hang_up()

    assert within(60, lambda: "config.reloaded" in own.output())
    assert own.alive()


def test_whom_the_gateway_hears_changes_without_a_restart(own: Town) -> None:
    """The file says of these keys that they need none."""
    origin = {"origin": "https://app.example.com"}
    host = {"host": "gateway.example.com"}
    assert status_of(own, "scripted", origin) == 403
    assert status_of(own, "scripted", host) == 421

    own.write(
        {
            **own.config,
            "server": {
                "allowed_origins": ["https://app.example.com"],
                "allowed_hosts": ["gateway.example.com"],
                "max_body": "2KiB",
            },
        }
    )

    assert within(60, lambda: status_of(own, "scripted", origin) == 200)
    assert status_of(own, "scripted", host) == 200
    with own.caller() as caller:
        assert caller.ask(b" " * 3000).status == 413


def test_the_limit_for_a_caller_is_kept_over_a_reload(upstream: Upstream, home: Path) -> None:
    limited = server(upstream.url, rateLimit={"requests": 1, "window": 3600})
    with Town({"mcpServers": {"scripted": limited}}, home) as town, town.caller() as caller:
        assert not caller.tool("get_note").message["result"].get("isError")

        town.hang_up()

        assert within(60, lambda: "config.reloaded" in town.output())
        assert caller.tool("get_note").message["result"]["isError"] is True


def test_a_file_without_an_administrator_counts_and_is_told_of(own: Town) -> None:
    """Whoever was taken out of the file must not stay in power because he was the last."""
    users = [{**each, "role": "reader"} for each in own.config["users"]]
    assert "administrators" not in json.loads(own.get("/ready") or "{}")

    own.write({**own.config, "users": users})

    assert within(60, lambda: "administrators.none" in own.output())
    ready = json.loads(own.get("/ready") or "{}")
    assert (ready["status"], "nobody" in ready["administrators"]) == ("ready", True)
    assert "can come in any more" in (own.get("/status") or "")
    own.write(own.config)
    assert within(60, lambda: "administrators" not in json.loads(own.get("/ready") or "{}"))


def test_calls_have_their_price_from_the_moment_it_is_in_force(own: Town) -> None:
    def spent() -> float:
        lines = (own.get("/metrics") or "").splitlines()
        found = [each for each in lines if each.startswith("mcp_gateway_cost_total{")]
        return sum(float(each.rpartition(" ")[2]) for each in found)

    assert status_of(own, "scripted") == 200
    assert spent() == 0.0

    own.write(
        {
            **own.config,
            "cost_tracking": [{"provider": "scripted", "cost_per_api_call": "0.25 €"}],
        }
    )

    assert within(60, lambda: status_of(own, "scripted") == 200 and spent() > 0.0)
    assert spent() % 0.25 == 0.0
