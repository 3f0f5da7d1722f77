"""Tools that are searched for, over real sockets, in both eras."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import run
from tests.torhaus.edge.doors import Caller, legacy, modern, routing, said
from tests.torhaus.edge.test_hall import call, names
from tests.torhaus.gate.aggregate.crowd import Crowd, open_place, tool
from tests.torhaus.scripted import dumps
from torhaus.model.outcome import Answer
from torhaus.model.views import ALONE, WHOLE, Discovery, View
from torhaus.policy.names import normal

SEARCHED = {"": View(discovery=Discovery.SEARCH)}
THREE = ["search_tools", "describe_tools", "call_tool"]
ISSUE = tool(
    "create_issue",
    description="File a new issue in a repository.",
    inputSchema={
        "type": "object",
        "properties": {"repo": {"type": "string"}, "title": {"type": "string"}},
        "required": ["title"],
        "$defs": {"x": {"$anchor": "a"}},
    },
)


def crowd() -> Crowd:
    found = Crowd()
    found.members["docs"].tools = [ISSUE, tool("delete_page", title="Drop a page")]
    return found


async def come(place: Any, era: str, key: str = "dana-key") -> Caller:
    caller: Caller = await place.come(key)
    if era == "legacy":
        await caller.begin()
    return caller


def text(answer: Any) -> Any:
    return answer["result"]["content"][0]["text"]


@pytest.fixture(params=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_three_tools_are_listed_and_no_server_is_asked(era: str) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana = await come(place, era)
            before = place.crowd.members["docs"].methods()

            assert await names(dana) == THREE
            assert place.crowd.members["docs"].methods() == before
            record = place.world.ledger.noted[-1]
            assert (record.mcp_server, record.operation) == ("*", "tools/list")

    run(story())


def test_a_search_finds_what_the_caller_may_see_and_says_who_searched(era: str) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana, alice = await come(place, era), await come(place, era, "alice-key")
            query = {"query": "creat a new isue"}

            found = json.loads(text(await call(dana, "search_tools", query)))
            record = place.world.ledger.noted[-1]
            others = json.loads(text(await call(alice, "search_tools", query)))

            first = found["tools"][0]
            assert first["name"] == "docs__create_issue"
            assert first["arguments"] == {"required": ["title"], "optional": ["repo"]}
            assert (record.mcp_server, record.operation) == ("*", "search_tools")
            assert json.loads(bytes(record.parameters)) == query
            assert {each["name"].partition("__")[0] for each in others["tools"]} == {"github"}

    run(story())


def test_a_description_is_what_the_list_would_hold(era: str) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana = await come(place, era)

            asked = {"names": ["docs__create_issue", "docs__create_isue"]}
            answer = json.loads(text(await call(dana, "describe_tools", asked)))

            assert answer["tools"] == [{**ISSUE, "name": "docs__create_issue"}]
            close = answer["unknown"]["docs__create_isue"]["did you mean"]
            assert close[0] == "docs__create_issue"
            assert place.world.ledger.noted[-1].operation == "describe_tools"

    run(story())


def test_a_call_through_it_is_the_call_of_the_tool(era: str) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana = await come(place, era)
            direct = await call(dana, "docs__create_issue", {"title": "a"})
            first = place.world.ledger.noted[-1]

            through = {"name": "docs__create_issue", "arguments": {"title": "a"}}
            answer = await call(dana, "call_tool", through)
            second = place.world.ledger.noted[-1]

            assert text(answer) == text(direct) == "docs create_issue {'title': 'a'}"
            assert answer == direct
            for each in ("mcp_server", "operation", "parameters", "access_control", "user"):
                assert getattr(first, each) == getattr(second, each)
            assert first.call == second.call

    run(story())


def test_a_call_that_is_refused_directly_is_refused_through_it(era: str) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            alice = await come(place, era, "alice-key")
            direct = await call(alice, "docs__create_issue", {"title": "a"})

            through = {"name": "docs__create_issue", "arguments": {"title": "a"}}
            answer = await call(alice, "call_tool", through)

            assert answer == direct
            assert answer["result"]["_meta"]["torhaus/verdict"]["verdict"] == "deny"
            assert place.world.ledger.noted[-1].mcp_server == "docs"
            assert "tools/call" not in place.crowd.members["docs"].methods()

    run(story())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "call_tool", "arguments": {}}, "call it directly"),
        ({"name": "search_tools"}, "call it directly"),
        ({"name": "docs__create_issue", "title": "a"}, "go into `arguments`"),
        ({"name": "docs__create_issue", "arguments": '{"title": "a"}'}, "JSON object"),
        ({"arguments": {}}, "`name` must be"),
        ({"name": "nobody__create_issue"}, "Similar tools: docs__create_issue"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_mistake_is_told_so_that_a_model_can_mend_it(
    arguments: dict[str, Any], says: str, era: str
) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana = await come(place, era)

            answer = await call(dana, "call_tool", arguments)

            assert answer["result"]["isError"] is True
            assert says in text(answer)
            assert "tools/call" not in place.crowd.members["docs"].methods()
            assert place.world.ledger.noted[-1].result.status in ("error", "denied")

    run(story())


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("search_tools", {}, "`query` must say"),
        ("search_tools", {"query": "x" * 501}, "longer than 500"),
        ("search_tools", {"query": "x", "limit": 26}, "from 1 to 25"),
        ("search_tools", {"query": "x", "limit": True}, "from 1 to 25"),
        ("search_tools", {"query": "x", "server": 1}, "name of a server"),
        ("search_tools", {"query": "x", "server": "nobody"}, "no server 'nobody'"),
        ("search_tools", {"q": "x"}, "no argument `q`"),
        ("describe_tools", {"names": []}, "must be a list"),
        ("describe_tools", {"names": ["x"] * 11}, "at most 10"),
    ],
)
def test_a_search_that_cannot_be_understood_says_what_would_be(
    name: str, arguments: dict[str, Any], says: str
) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            answer = await call(await place.come(), name, arguments)

            assert answer["result"]["isError"] is True
            assert says in text(answer)

    run(story())


def test_a_search_can_stay_at_one_server_and_what_is_down_is_named() -> None:
    async def story() -> None:
        there = crowd().tells(deadline=0.05)
        there.members["tea"].hangs = True
        async with open_place(there, views=SEARCHED) as place:
            dana = await place.come()

            here = await call(dana, "search_tools", {"query": "issue", "server": "github"})
            everywhere = await call(dana, "search_tools", {"query": "issue"})

            found = json.loads(text(here))["tools"]
            assert [each["name"] for each in found] == ["github__list_issues"]
            assert [*json.loads(text(everywhere))["unavailable"]] == ["tea"]

    run(story())


def test_the_servers_own_complaint_comes_as_it_is() -> None:
    async def story() -> None:
        there = crowd()
        complaint = {"content": [{"type": "text", "text": "title: required"}], "isError": True}
        there.members["docs"].more["tools/call"] = Answer(result=dumps(complaint))
        async with open_place(there, views=SEARCHED) as place:
            through = {"name": "docs__create_issue", "arguments": {}}

            answer = await call(await place.come(), "call_tool", through)

            assert text(answer) == "title: required"

    run(story())


def test_a_call_repeats_in_headers_what_the_client_could_not_know() -> None:
    async def story() -> None:
        there = crowd()
        schema = {"type": "object", "properties": {"repo": {"type": "string", "x-mcp-header": "R"}}}
        there.members["docs"].tools = [tool("push", inputSchema=schema)]
        async with open_place(there, views=SEARCHED) as place:
            through = {"name": "docs__push", "arguments": {"repo": "a/b"}}

            answer = await call(await place.come(), "call_tool", through)

            assert text(answer) == "docs push {'repo': 'a/b'}"
            sent = place.crowd.members["docs"].asked[-1]
            assert sent.headers == (("mcp-param-r", "a/b"),)

    run(story())


def test_a_name_of_the_gateways_own_is_no_tool_where_all_are_listed() -> None:
    async def story() -> None:
        async with open_place(crowd()) as place:
            answer = await call(await place.come(), "search_tools", {"query": "issue"})

            assert answer["error"]["code"] == -32602

    run(story())


def test_a_virtual_server_finds_its_own_tools_alone() -> None:
    async def story() -> None:
        some = View(name="some", picks={"docs": WHOLE}, discovery=Discovery.SEARCH)
        async with open_place(crowd(), views={**ALONE, "some": some}) as place:
            dana = await place.come(target="/mcp/some")

            found = json.loads(text(await call(dana, "search_tools", {"query": "issue"})))
            outside = await call(dana, "call_tool", {"name": "github__list_issues"})

            assert [each["name"] for each in found["tools"]] == ["docs__create_issue"]
            assert "Unknown tool" in text(outside)
            assert "tools/call" not in place.crowd.members["github"].methods()

    run(story())


@pytest.mark.parametrize("there_is_one", [True, False])
def test_a_hidden_refusal_reads_like_a_tool_that_is_not_there(there_is_one: bool) -> None:
    async def story() -> None:
        there = crowd()
        there.servers["docs"] = msgspec.structs.replace(there.servers["docs"], hide_denied=True)
        there.members["docs"].tools = [ISSUE] if there_is_one else []
        async with open_place(there, views=SEARCHED) as place:
            alice = await place.come("alice-key")

            answer = await call(alice, "call_tool", {"name": "docs__create_issue"})

            close = "github__list_issues"
            says = f"Unknown tool: docs__create_issue. Similar tools: {close}. search_tools finds"
            assert text(answer) == f"{says} others."

    run(story())


def test_a_tool_that_its_server_does_not_have_is_told_with_similar_ones() -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            bob = await place.come("bob-key")

            answer = await call(bob, "call_tool", {"name": "github__list_isues"})

            assert "Similar tools: github__list_issues" in text(answer)
            assert place.world.ledger.noted[-1].result.status == "denied"

    run(story())


def test_a_tool_that_only_its_server_can_refuse_is_told_with_similar_ones() -> None:
    async def story() -> None:
        there = crowd()
        unknown = Answer(error=dumps({"code": -32602, "message": "Unknown tool: creat_issue"}))
        there.members["docs"].more["tools/call"] = unknown
        async with open_place(there, views=SEARCHED) as place:
            dana = await place.come()

            strange = await call(dana, "call_tool", {"name": "docs__creat_issue"})
            listed = await call(dana, "call_tool", {"name": "docs__create_issue"})

            assert "Similar tools: docs__create_issue" in text(strange)
            assert strange["result"]["isError"] is True
            assert listed["error"]["code"] == -32602

    run(story())


def test_a_fixed_argument_is_refused_in_words_for_the_model(era: str) -> None:
    async def story() -> None:
        fixed = {("docs", normal("create_issue")): {"repo": "a/b"}}
        view = View(discovery=Discovery.SEARCH, fixed=fixed)
        async with open_place(crowd(), views={"": view}) as place:
            through = {"name": "docs__create_issue", "arguments": {"repo": "c/d", "title": "x"}}

            answer = await call(await come(place, era), "call_tool", through)

            assert answer["result"]["isError"] is True
            assert text(answer) == "the argument 'repo' is fixed here: leave it out"
            assert "tools/call" not in place.crowd.members["docs"].methods()
            assert place.world.ledger.noted[-1].result.status == "error"

    run(story())


def test_a_cursor_is_refused_for_there_is_one_page() -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana = await place.come()
            headers = routing("tools/list")

            answer = said(await dana.ask(modern("tools/list", {"cursor": "x"}), headers))

            assert answer["error"]["code"] == -32602

    run(story())


def test_a_changed_list_is_no_news_to_somebody_who_searches() -> None:
    async def story() -> None:
        there = crowd()
        async with open_place(there, views=SEARCHED) as place:
            dana = await place.come()
            await dana.begin()
            await names(dana)
            session = await dana.ask(legacy("tools/call", {"name": "docs__create_issue"}, 3))
            assert session.status == 200

            fronts = list(place.edge.many.fronts.all())

            assert fronts[0].shown == {}

    run(story())


def test_an_alias_is_listed_and_found_and_both_names_can_be_called() -> None:
    async def story() -> None:
        view = View(aliases={("docs", "create_issue"): "file_bug"}, discovery=Discovery.SEARCH)
        async with open_place(crowd(), views={"": view}) as place:
            dana = await place.come()

            found = json.loads(text(await call(dana, "search_tools", {"query": "new issue"})))
            through = await call(dana, "call_tool", {"name": "file_bug"})
            alias, long = await call(dana, "file_bug"), await call(dana, "docs__create_issue")

            assert found["tools"][0]["name"] == "file_bug"
            assert text(through) == "docs create_issue None"
            assert text(alias) == text(long) == "docs create_issue {}"
            assert {each.operation for each in place.world.ledger.noted[-3:]} == {"create_issue"}

    run(story())


@pytest.mark.parametrize("name", ["nobody__x", "docs__create_issue"])
def test_without_an_audit_log_a_call_through_it_is_refused(name: str) -> None:
    async def story() -> None:
        async with open_place(crowd(), views=SEARCHED) as place:
            dana = await place.come()
            place.world.ledger.well = False

            answer = await call(dana, "call_tool", {"name": name})

            assert "audit log" in json.dumps(answer)
            assert "tools/call" not in place.crowd.members["docs"].methods()

    run(story())
