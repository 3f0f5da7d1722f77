"""`/api/v1/explain`: what the gate would say to a call, with whatever is in force here."""

import json
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import Field

from torhaus.admin.people.books import PeopleBooks
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, Who
from torhaus.api.person_shapes import End, instant
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import Given, Taken
from torhaus.gate.explain import Explanation, Known, Question, explain
from torhaus.policy.house import may, right

Name = Annotated[str, Field(max_length=320)]


class Wonder(Taken):
    """A call that is only thought of."""

    user: Annotated[str, Field(max_length=320, description="Yourself, or whom you administer.")] = (
        ""
    )
    server: Name
    tool: Name
    arguments: Annotated[dict[str, Any], Field(default_factory=dict)]
    key: Annotated[str, Field(max_length=64, description="The id of his key or token.")] = ""
    at: End = None
    ip: Annotated[str, Field(max_length=64)] = "127.0.0.1"
    client: Annotated[str, Field(max_length=200)] = ""
    hints: Annotated[
        dict[str, Any], Field(default_factory=dict, description="The tool's annotations.")
    ]


class StepOut(Given):
    """One thing that was asked, and what came of it."""

    step: str
    result: str
    rule: str
    detail: str


class Told(Given):
    """The verdict: `allow`, `deny` or `approval`. `place`: where its rule stands."""

    verdict: str
    policy_applied: str
    code: str
    reason: str
    trace: list[StepOut]
    place: str

    @classmethod
    def of(cls, found: Explanation) -> Self:
        steps = [
            StepOut(step=each.step, result=each.result, rule=each.rule, detail=each.detail)
            for each in found.trace
        ]
        return cls(
            verdict=found.verdict,
            policy_applied=found.policy_applied,
            code=found.code,
            reason=found.reason,
            trace=steps,
            place=found.place,
        )


def router(backstage: Backstage, books: PeopleBooks) -> APIRouter:
    routes = APIRouter(prefix="/explain", tags=["explain"])

    @routes.post("")
    async def explained(wonder: Wonder, who: Who) -> Told:
        """What the gate would decide about a call; nothing is called."""
        now = instant(wonder.at) or backstage.clock()
        email = wonder.user or ("" if wonder.key else who.principal.email)
        standing = await books.standing(who.principal, email, wonder.key, now)
        if standing is None:
            raise _hidden(who)
        server = backstage.rules().servers.get(wonder.server.partition(":")[0])
        if server is None:
            raise ProblemError(404, "not_found", "there is no such server")
        others = may(who.principal, "people", backstage.clock()) is None
        if server.hide_denied and not others:
            raise _hidden(who)  # what is hidden from him there is not explained to him here
        question = Question(
            user=standing.email,
            server=wonder.server,
            tool=wonder.tool,
            arguments=json.dumps(wonder.arguments),
            ip=wonder.ip,
            client=wonder.client,
            hints=wonder.hints,
        )
        try:
            found = explain(backstage.rules(), question, now, Known(standing, books.places()))
        except ValueError as error:
            raise ProblemError(422, "invalid", str(error)) from error
        return Told.of(found)

    return routes


def _hidden(who: Caller) -> ProblemError:
    """The same for whoever is not there: nobody finds out addresses or keys by asking."""
    email = who.principal.email
    text = f"{email} may ask about himself, and about others with {right('people')}"
    return ProblemError(403, "not_allowed", text, "or there is no such key")
