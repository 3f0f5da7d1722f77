from torhaus.identity.scim.problem import ScimError


def test_a_problem_carries_what_its_answer_says() -> None:
    error = ScimError(409, "there is one", "uniqueness")

    assert (error.status, error.detail, error.kind) == (409, "there is one", "uniqueness")
    assert ScimError(404, "gone").kind == ""
