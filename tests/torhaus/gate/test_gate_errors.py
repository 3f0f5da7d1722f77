import json

from tests.torhaus.cast import World, run
from torhaus.mcp import codes
from torhaus.model.outcome import Answer, Answered, Failed
from torhaus.model.ports import UpstreamError

TOKEN = "ghp" + "_A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZa"


def test_a_server_that_repeats_a_credential_in_its_error_tells_nobody():
    async def story() -> None:
        world = World()
        world.upstream.answers(Answer(error=f'{{"code":-32602,"message":"bad {TOKEN}"}}'.encode()))

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Answered)
        assert json.loads(outcome.answer.error or b"")["message"] == "bad [redacted:github-token]"

    run(story())


def test_a_failure_that_repeats_a_credential_tells_nobody():
    async def story() -> None:
        world = World()
        world.upstream.fails(UpstreamError(f"it said {TOKEN}"))

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Failed)
        assert outcome.reason == "github cannot answer: it said [redacted:github-token]"

    run(story())


def test_an_error_that_cannot_be_checked_is_not_passed_on():
    async def story() -> None:
        world = World()
        deep = b"[" * 50_000 + f'"{TOKEN}"'.encode() + b"]" * 50_000
        world.upstream.answers(Answer(error=b'{"code":-32602,"message":"no","data":%b}' % deep))

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Answered)
        assert json.loads(outcome.answer.error or b"")["code"] == codes.UPSTREAM_FAILED

    run(story())
