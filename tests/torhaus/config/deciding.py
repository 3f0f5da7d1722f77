"""Calls decided under a configuration: what a block means, not only that it loads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from torhaus.config.load import Loaded, load_text
from torhaus.model.call import Call
from torhaus.model.grant import Grant
from torhaus.model.rules import Rules
from torhaus.model.verdict import Allow, Verdict
from torhaus.policy.decide import decide

MONDAY = datetime.fromisoformat("2025-10-20T12:00:00+00:00").timestamp()
SERVERS = """\
mcpServers:
  github: {url: "https://mcp.github.com"}
  sentry: {url: "https://mcp.sentry.io"}
"""


def loaded(text: str, *, servers: str = SERVERS, grants: tuple[Grant, ...] = ()) -> Loaded:
    return load_text(servers + text, "t.yml", {}, grants=grants)


def from_environment(text: str, environ: Mapping[str, str]) -> Loaded:
    return load_text(SERVERS + text, "t.yml", environ)


def at(text: str) -> float:
    """Unix seconds of a moment with its offset."""
    return datetime.fromisoformat(text).timestamp()


def verdict(rules: Rules, who: str, call: str, now: float = MONDAY, **arguments: Any) -> Verdict:
    """What comes of one call, `github.get_me`, with these arguments."""
    return decided(rules, who, call, arguments, now)


def decided(
    rules: Rules,
    who: str,
    call: str,
    arguments: Mapping[str, Any],
    now: float = MONDAY,
    *,
    ip: str = "192.0.2.7",
    client: str = "",
) -> Verdict:
    server, _, tool = call.partition(".")
    asked = Call(
        id="req_1",
        caller=rules.principals[who],
        server=rules.servers[server],
        method="tools/call",
        operation=tool,
        arguments=arguments,
        payload=b"{}",
        ip=ip,
        client=client,
    )
    return decide(asked, now)


def allowed(rules: Rules, who: str, call: str, now: float = MONDAY, **arguments: Any) -> bool:
    return isinstance(verdict(rules, who, call, now, **arguments), Allow)
