import json

from torhaus.admin.acts import Refusal
from torhaus.api.problems import ProblemError, refused, response
from torhaus.audit.acts import Act


def test_a_problem_says_what_and_what_to_do() -> None:
    answer = response(ProblemError(409, "conflict", "it is over", "ask again"), {"x": "y"})

    assert (answer.status_code, answer.media_type) == (409, "application/problem+json")
    assert answer.headers["x"] == "y"
    assert json.loads(bytes(answer.body)) == {
        "type": "about:blank",
        "title": "Not possible now",
        "status": 409,
        "detail": "it is over",
        "code": "conflict",
        "fix": "ask again",
    }


def test_a_problem_without_a_fix_has_none() -> None:
    assert "fix" not in json.loads(bytes(response(ProblemError(418, "tea", "no")).body))


def test_every_refusal_has_a_status() -> None:
    act = Act(operation="x")
    codes = ("not_found", "not_allowed", "conflict", "invalid")

    assert [refused(Refusal(code, "why", act)).status for code in codes] == [404, 403, 409, 422]
