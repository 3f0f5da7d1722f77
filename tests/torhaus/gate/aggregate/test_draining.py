"""One server's list, through the gate."""

import pytest

from tests.torhaus.cast import MALLORY, person, run
from tests.torhaus.gate.aggregate.crowd import Crowd, tool
from tests.torhaus.scripted import dumps, listing
from torhaus.gate.aggregate.draining import Unavailable
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.model.views import View

TOOLS = "tools/list"


async def drain(crowd: Crowd, by=None, method: str = TOOLS):
    guest = crowd.guest() if by is None else crowd.guest(by)
    return await crowd.many.lists.draining.drain(guest, crowd.servers["docs"], method, 15.0)


def test_each_page_is_a_call_with_a_record():
    async def story() -> None:
        crowd = Crowd()

        share = await drain(crowd)

        assert [item.name for item in share.items] == ["list_issues", "get__it"]
        assert share.until == crowd.clock() + 15
        records = [(each.mcp_server, each.operation) for each in crowd.ledger.noted]
        assert records == [("docs", TOOLS)]

    run(story())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(error=dumps({"code": -32000, "message": "too tired"})), "too tired"),
        (Answer(error=b"5"), "answers with an error"),
        (Answer(result=b'{"tools":5}'), "docs cannot answer"),
        (Answer(result=b"{}"), "docs cannot answer"),
    ],
)
def test_what_is_no_list_is_said_in_a_sentence(answer: Answer, why: str):
    async def story() -> None:
        crowd = Crowd()
        crowd.members["docs"].more[TOOLS] = answer

        with pytest.raises(Unavailable, match=why):
            await drain(crowd)

    run(story())


def test_a_refused_caller_reads_why_and_a_dead_server_is_named():
    async def story() -> None:
        crowd = Crowd()

        with pytest.raises(Unavailable):
            await drain(crowd, MALLORY)
        assert crowd.members["docs"].asked == []
        crowd.members["docs"].script = gone
        with pytest.raises(Unavailable, match="docs cannot answer: it is gone"):
            await drain(crowd)

    async def gone(ask, sink):
        raise UpstreamError("it is gone")

    run(story())


def test_a_list_of_many_octets_ends_before_it_fills_the_memory():
    async def story() -> None:
        crowd = Crowd()
        big = tool("x", arguments=[7] * 1_500_000)
        wide = dumps({"prompts": [big], "nextCursor": "more"})
        crowd.members["docs"].more["prompts/list"] = Answer(result=wide)

        share = await drain(crowd, None, "prompts/list")

        assert len(crowd.members["docs"].asked) == 6
        assert len(share.items) == 1

    run(story())


def test_a_server_that_never_ends_its_list_is_left_alone():
    async def story() -> None:
        crowd = Crowd()
        crowd.members["docs"].more[TOOLS] = listing(tool("x"), nextCursor="more")

        share = await drain(crowd)

        assert len(crowd.members["docs"].asked) == 50
        assert len(share.items) == 1

    run(story())


def test_what_rights_hide_is_not_in_it():
    async def story() -> None:
        crowd = Crowd()
        reader = person("erin", "reader", "docs.read", server="docs")
        crowd.members["docs"].tools = [tool("list_issues"), tool("delete_everything")]

        share = await drain(crowd, reader)

        assert [item.name for item in share.items] == ["list_issues"]

    run(story())


def test_a_list_is_not_said_again_to_whom_it_would_be_refused():
    async def story() -> None:
        crowd = Crowd()
        draining, docs = crowd.many.lists.draining, crowd.servers["docs"]
        share = await drain(crowd)

        assert draining.again(crowd.guest(), docs, TOOLS, share) is not None
        assert draining.again(crowd.guest(MALLORY), docs, TOOLS, share) is None
        record = crowd.ledger.noted[-1]
        assert (record.result.cached, record.mcp_server) == (True, "docs")

    run(story())


def test_a_name_that_some_models_refuse_is_named_once():
    async def story() -> None:
        crowd = Crowd()
        crowd.members["docs"].tools = [tool("x" * 44), tool("y" * 45)]

        await drain(crowd)
        await drain(crowd)

        assert crowd.many.lists.draining.long == {"docs__" + "y" * 45}

    run(story())


def test_a_tool_that_is_named_and_is_not_there_is_said_once():
    async def story() -> None:
        crowd = Crowd()
        view = View(aliases={("docs", "gone"): "g", ("docs", "get__it"): "g2", ("tea", "x"): "g3"})
        draining = crowd.many.lists.draining

        for _ in range(2):
            await draining.drain(crowd.guest(view=view), crowd.servers["docs"], TOOLS, 15.0)

        assert draining.said == {("aggregate.name_absent", "docs", "gone", "")}

    run(story())


def test_a_list_without_an_end_is_cut_and_said_so():
    async def story() -> None:
        crowd = Crowd()
        page = Answer(result=dumps({"tools": [tool("a")], "nextCursor": "again"}))
        crowd.members["docs"].more[TOOLS] = page

        share = await drain(crowd)

        assert [item.name for item in share.items] == ["a"]
        assert crowd.many.lists.draining.said == {("aggregate.list_cut", "docs", TOOLS)}

    run(story())


def test_of_two_prompts_with_one_name_the_first_is_listed():
    async def story() -> None:
        crowd = Crowd()
        named = [{"name": "a", "title": "1"}, {"name": "b"}, {"name": "a", "title": "2"}]
        crowd.members["docs"].more["prompts/list"] = Answer(result=dumps({"prompts": named}))

        share = await drain(crowd, None, "prompts/list")

        assert [item.name for item in share.items] == ["a", "b"]
        assert b'"1"' in share.items[0].text
        assert crowd.many.lists.draining.twice == {"docs"}

    run(story())
