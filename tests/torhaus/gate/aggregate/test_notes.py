import asyncio

from tests.torhaus.gate.aggregate.crowd import Crowd
from torhaus.gate.aggregate.notes import note, note_tool


def test_a_search_is_recorded_with_what_was_asked_under_nobodys_server() -> None:
    crowd = Crowd()

    work = note_tool(crowd.gate, crowd.guest(), [], "search_tools", {"query": "x"}, b"{}")
    asyncio.run(work)

    record = crowd.ledger.noted[-1]
    assert (record.mcp_server, record.operation) == ("*", "search_tools")
    assert bytes(record.parameters) == b'{"query":"x"}'
    assert record.result.status == "success"
    assert record.call.protocol == "2026-07-28"


def test_what_no_server_was_asked_for_is_recorded() -> None:
    crowd = Crowd()

    asyncio.run(note(crowd.gate, crowd.guest(shown="key:adm_1"), "tools/list"))

    record = crowd.ledger.noted[-1]
    assert (record.mcp_server, record.operation) == ("*", "tools/list")
    assert record.credential == "key:adm_1"
