"""A caller for whom everything is masked, and what he must not see."""

import json
from typing import Any

import msgspec

from tests.torhaus.cast import CAROL, World, github, limited
from tests.torhaus.redact.samples import GITHUB, MAIL
from torhaus.model.outcome import Answered, Outcome
from torhaus.model.people import Principal
from torhaus.model.redaction import Pattern
from torhaus.model.rules import Rules
from torhaus.policy.permission import parse

RULE = "contractor: no_sensitive_data"
BLIND = limited(CAROL, redact=RULE)
LEAKY = f"token {GITHUB}, write to {MAIL}"
MASKED = "token [redacted:github-token], write to [redacted:email]"


def world(**more: Any) -> World:
    return World(github(**more)).knows_the_tools()


def result(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Answered)
    return dict(json.loads(outcome.answer.result or b""))


def said(outcome: Outcome) -> str:
    return str(result(outcome)["content"][0]["text"])


def everything(of: World) -> str:
    """All that was written down."""
    return "".join(msgspec.json.encode(record).decode() for record in of.ledger.noted)


def all_of(who: Principal) -> Principal:
    return limited(who, allows=(parse("github:*", "all"),))


def rules(*people: Principal, patterns: tuple[Pattern, ...] = ()) -> Rules:
    known = {each.id: each for each in people}
    return Rules(version="1", principals=known, patterns=patterns)
