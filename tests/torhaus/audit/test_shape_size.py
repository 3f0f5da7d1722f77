"""How much a record takes on disk, in a team as it is.

Sizes of arguments and results, clients and shares of tools are those of a week of calls of a team
of eight, counted by hand; names are made up.
"""

import json

import msgspec

from tests.torhaus.audit.scene import ALLOWED, AT, GITHUB, call
from torhaus.audit.shape import record
from torhaus.model.outcome import Abandoned, Answer, Answered, Failed, Limited, Outcome, Refused
from torhaus.model.people import Phase, Principal
from torhaus.model.verdict import Allow, Deny

MOST = 600
"""Bytes: a million calls a day are half a gigabyte, of which day files keep a twentieth."""

BY_ROLE = Allow("developer: github:read", "developer: github:read allows read")
PEOPLE = [
    Principal(id=f"u{n}", email=f"{name}@example.com", phases=(Phase(roles=(role,)),))
    for n, (name, role) in enumerate(
        [("alice", "developer"), ("bob", "developer"), ("carol", "tech-lead")]
    )
]
CLIENTS = [
    ("claude-code", "2025-11-25"),
    ("Cursor", "2025-06-18"),
    ("Visual Studio Code", "2025-11-25"),
]

CREDENTIALS = ["key:adm_0f3a9c11d2e41b2c77a0", f"token:con_{'0f3a9c11' * 4}", "file-key:1"]
"""A key of his own, a client that signs in, a key of the file."""

API: dict[str, object] = {"owner": "myorg", "repo": "api"}
COMMENT = "Reproduced on staging: the total is rounded before tax, see the trace in Sentry."
STEPS = "Steps: order two items with 7 % and 19 % tax, pay by card, open the invoice."

# Tool, arguments, octets of the result, how often in a hundred calls.
CALLS: list[tuple[str, dict[str, object], int, int]] = [
    ("list_issues", {**API, "state": "OPEN", "perPage": 50}, 18000, 16),
    ("get_file_contents", {**API, "path": "src/checkout/cart.ts"}, 9400, 22),
    ("issue_read", {"method": "get", **API, "issue_number": 1284}, 3100, 14),
    ("search_code", {"query": "repo:myorg/api parseInvoice", "perPage": 20}, 7200, 9),
    ("pull_request_read", {"method": "get_diff", **API, "pullNumber": 512}, 26000, 12),
    ("list_commits", {**API, "sha": "main"}, 11000, 8),
    ("add_issue_comment", {**API, "issue_number": 1284, "body": COMMENT}, 640, 3),
    ("issue_write", {"method": "create", **API, "title": "Off by a cent", "body": STEPS}, 800, 2),
    ("tools/list", {}, 52000, 8),
    ("initialize", {}, 420, 4),
    ("get_me", {}, 510, 2),
]


def records() -> list[bytes]:
    made = []
    for number, (tool, arguments, octets, _) in enumerate(
        each for each in CALLS for _ in range(each[3])
    ):
        client, protocol = CLIENTS[number % 3]
        payload = json.dumps(arguments, separators=(",", ":")).encode()
        asked = call(
            id=f"req_9f3a1c77d20e{number + 70_000:x}",
            caller=PEOPLE[number % 3],
            server=GITHUB,
            operation=tool,
            payload=payload,
            ip="192.168.10.114",
            client=client,
            protocol=protocol,
            sent=len(payload),
            shown=CREDENTIALS[number % 3],
        )
        made.append(msgspec.json.encode(record(asked, _end(number, octets), AT, 0.2341)))
    return made


def _end(number: int, octets: int) -> Outcome:
    """Two thirds come from the server, a quarter from the cache; some do not succeed."""
    text = json.dumps({"content": [{"type": "text", "text": "x" * octets}]}).encode()
    if number % 33 == 5:
        return Refused(Deny("no_delete", "no_grant", "developer may not delete in myorg/api"))
    if number % 33 == 9:
        return Failed(ALLOWED, "github cannot answer: it did not answer within 30 s")
    if number % 50 == 7:
        return Limited(BY_ROLE, "100 per hour for alice on github", 740.0)
    if number % 50 == 11:
        return Abandoned(BY_ROLE)
    return Answered(BY_ROLE, Answer(result=text), cached=number % 4 == 0, items=12)


def test_a_record_takes_no_more_than_it_should_on_average():
    sizes = [len(each) + 1 for each in records()]

    assert len(sizes) == 100
    assert 300 <= sum(sizes) / len(sizes) <= MOST


def test_what_is_known_besides_is_a_fifth_of_it_at_most():
    whole = sum(len(each) for each in records())
    besides = sum(len(msgspec.json.encode(json.loads(each)["call"])) for each in records())

    assert besides / whole <= 0.2
