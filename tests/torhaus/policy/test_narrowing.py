from torhaus.model.access import Access, Permission
from torhaus.policy.narrowing import narrowed

ALL = Access(allows=(Permission("*", "*", "*", "admin: *"),))


def test_other_servers_are_denied_and_say_why() -> None:
    found = narrowed({"github": ALL, "jira": ALL, "*": ALL}, ("github", "slack"))

    assert found["github"] is ALL
    assert found["slack"] is ALL
    rule = "only on github, slack"
    assert found["jira"].denies == (Permission("jira", "*", "*", rule),)
    assert found["*"].denies == (Permission("*", "*", "*", rule),)


def test_where_nothing_is_open_nothing_opens() -> None:
    found = narrowed({}, ("github",))

    assert found["github"] == Access()
    assert found["*"].denies
