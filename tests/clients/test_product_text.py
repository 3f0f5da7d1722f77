"""The configuration block of the product text, with nothing changed but the upstream's address."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.wire import Wire

DIRECTOR = """server:
  port: 8080
  host: 0.0.0.0

auth:
  provider: oauth
  oauth:
    issuer: https://accounts.google.com
    client_id: YOUR_CLIENT_ID
    client_secret: YOUR_CLIENT_SECRET

mcpServers:
  github:
    url: https://mcp.github.com
    auth:
      type: bearer
      token: ${GITHUB_TOKEN}
    cache:
      ttl: 300  # 5 Minuten
    rateLimit:
      requests: 100
      window: 3600  # 1 Stunde

  sentry:
    url: https://mcp.sentry.io
    auth:
      type: bearer
      token: ${SENTRY_TOKEN}
    cache:
      ttl: 60
    rateLimit:
      requests: 50
      window: 3600

accessControl:
  - role: developer
    allow:
      - github.read
      - sentry.read

  - role: admin
    allow:
      - github.*
      - sentry.*
      - firebase.*
"""
USERS = """
users:
  - {email: alice@example.com, role: developer, api_keys: ["${ALICE_KEY}"]}
  - {email: bob@example.com, role: developer, api_keys: ["${BOB_KEY}"]}
  - {email: carol@example.com, role: developer, api_keys: ["${CAROL_KEY}"]}
  - {email: dana@example.com, role: admin, api_keys: ["${DANA_KEY}"]}
"""
KEYS = {name: f"{name.lower()}-key-0a5c5b1e9d8f4a47" for name in ("ALICE", "BOB", "CAROL", "DANA")}
TOKEN = "ghp_0123456789abcdefghij0123456789abcdef"
REPOSITORY = {"owner": "myorg", "repo": "myrepo"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("director")
    env = {f"{name}_KEY": key for name, key in KEYS.items()}
    env |= {"GITHUB_TOKEN": TOKEN, "SENTRY_TOKEN": "sentry-token"}
    with upstreams.tickets("http", home) as github:
        config = DIRECTOR.replace("https://mcp.github.com", f"http://127.0.0.1:{github.port}/mcp")
        with Gateway(config + USERS, home / "gateway", env) as running:
            yield running


def connect(gateway: Gateway, name: str) -> Wire:
    wire = Wire(gateway.url("github"), {"apikey": KEYS[name]})
    wire.open()
    return wire


def last_call(gateway: Gateway, email: str) -> dict[str, object]:
    calls = [each for each in gateway.records() if each["user"]["email"] == email]
    assert calls != [], f"no record of {email}"
    return dict(calls[-1])


def test_a_developer_reads(gateway: Gateway) -> None:
    result = connect(gateway, "ALICE").tool("list_issues", REPOSITORY)

    assert "Gate stays open" in result["content"][0]["text"]
    record = last_call(gateway, "alice@example.com")
    assert record["operation"] == "list_issues"
    assert record["parameters"] == REPOSITORY


def test_a_developer_does_not_write_and_is_told_why(gateway: Gateway) -> None:
    result = connect(gateway, "ALICE").tool("create_issue", {**REPOSITORY, "title": "x"})

    assert result["isError"] is True
    record = last_call(gateway, "alice@example.com")
    access = record["access_control"]
    assert isinstance(access, dict)
    assert access["allowed"] is False
    assert access["reason"]
    assert access["reason"] in result["content"][0]["text"]
    assert result["_meta"]["torhaus/verdict"]


def test_what_is_refused_is_not_listed(gateway: Gateway) -> None:
    developer = {tool["name"] for tool in connect(gateway, "ALICE").call("tools/list")["tools"]}
    admin = {tool["name"] for tool in connect(gateway, "DANA").call("tools/list")["tools"]}

    assert developer == {"list_issues", "get_me", "search_issues"}
    assert admin == developer | {"create_issue"}


def test_an_admin_writes(gateway: Gateway) -> None:
    result = connect(gateway, "DANA").tool(
        "create_issue", {**REPOSITORY, "title": "Oil the hinges"}
    )

    assert "Oil the hinges" in result["content"][0]["text"]


def test_the_server_sees_its_own_token_and_neither_side_the_others(gateway: Gateway) -> None:
    result = connect(gateway, "BOB").tool("get_me", {})

    seen = json.loads(result["content"][0]["text"])
    assert seen["sha256"] == sha256(f"Bearer {TOKEN}".encode()).hexdigest()
    assert KEYS["BOB"] not in json.dumps(seen)
    assert TOKEN not in json.dumps(result)  # though the server said it
    assert seen["authorization"] == "Bearer [redacted:gateway-secret]"


def test_the_second_developer_is_answered_from_the_cache(gateway: Gateway) -> None:
    question = {"owner": "myorg", "repo": "cached"}
    first = connect(gateway, "ALICE").tool("list_issues", question)

    second = connect(gateway, "BOB").tool("list_issues", question)

    assert second["content"] == first["content"]
    record = last_call(gateway, "bob@example.com")
    assert isinstance(record["result"], dict)
    assert record["result"]["cached"] is True


def test_the_hundred_and_first_call_of_an_hour_is_refused(gateway: Gateway) -> None:
    wire = connect(gateway, "CAROL")
    for number in range(100):
        result = wire.tool("search_issues", {"query": f"q{number}"})
        assert not result.get("isError"), f"call {number}: {result}"

    try:
        refused = bool(wire.tool("search_issues", {"query": "one more"}).get("isError"))
    except RuntimeError:
        refused = True

    assert refused
    record = last_call(gateway, "carol@example.com")
    assert isinstance(record["result"], dict)
    assert record["result"]["status"] == "limited"


@pytest.mark.parametrize("headers", [{}, {"apikey": "wrong"}, {"Authorization": "Bearer wrong"}])
def test_a_stranger_gets_in_nowhere(headers: dict[str, str], gateway: Gateway) -> None:
    wire = Wire(gateway.url("github"), headers)

    with pytest.raises(RuntimeError, match=r"^401: "):
        wire.open()


def test_health_says_what_the_product_text_prints(gateway: Gateway) -> None:
    assert gateway.get("/health") == '{"status": "healthy"}'


def test_metrics_have_the_names_of_the_product_text(gateway: Gateway) -> None:
    connect(gateway, "ALICE").tool("list_issues", REPOSITORY)

    metrics = gateway.get("/metrics") or ""

    counted = (
        'mcp_gateway_requests_total{mcp_server="github",method="list_issues",status="success"}'
    )
    assert counted in metrics
    for name in ("cache_hits_total", "cache_misses_total", "api_calls_total", "api_calls_saved"):
        assert f'mcp_gateway_{name}{{mcp_server="github"}}' in metrics
    assert "mcp_gateway_request_duration_seconds" in metrics


def test_no_secret_is_in_the_log_or_the_records(gateway: Gateway) -> None:
    connect(gateway, "ALICE").tool("list_issues", REPOSITORY)
    written = [gateway.log, *(each for each in Path(gateway.data).rglob("*") if each.is_file())]

    for path in written:
        content = path.read_bytes()
        for secret in [*KEYS.values(), TOKEN]:
            assert secret.encode() not in content, path
