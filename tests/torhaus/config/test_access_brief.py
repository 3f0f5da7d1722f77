"""The product text's own blocks, cut out of it: each loads as printed and means what it says."""

import pytest

from tests.shared import BRIEF
from tests.torhaus.config.deciding import SERVERS, allowed, at, loaded, verdict
from torhaus.model.rules import Rules
from torhaus.model.verdict import Allow, Deny

HIDDEN = "[email" + "\u00a0protected]"

pytestmark = pytest.mark.skipif(not BRIEF.exists(), reason="the product text is not here")

ALICE, BOB, FREELANCER = "alice@company.local", "bob@company.local", "freelancer@extern.example"
TEMP = "temp@extern.example"
REPO = {"owner": "myorg", "repo": "myrepo"}
PUBLIC = {"owner": "myorg", "repo": "public-project"}


def block(after: str, before: str, *addresses: str) -> str:
    """What the text prints between two lines, with addresses where it hides them."""
    text = BRIEF.read_text().replace(HIDDEN, "[email protected]")
    inside = text.split(f"\n{after}\n", 1)[1].split(f"\n{before}\n", 1)[0]
    for address in addresses:
        inside = inside.replace("[email protected]", address, 1)
    assert "[email protected]" not in inside
    return inside + "\n"


def roles() -> str:
    return block("Beispiel-Rollen:", "User Assignment:")


def users() -> str:
    return block("User Assignment:", "Feingranulare Permissions", ALICE, BOB, FREELANCER)


def github() -> str:
    return block("Beispiel: GitHub MCP", "Beispiel: Sentry MCP", ALICE, BOB)


def sentry() -> str:
    return block("Beispiel: Sentry MCP", "Zeit-basierte Regeln")


def hours() -> str:
    return block("Business Hours Only:", "Temporary Access:")


def temporary() -> str:
    return block("Temporary Access:", "Caching-Strategien", TEMP)


@pytest.fixture
def rules() -> Rules:
    everything = (roles(), users(), github(), sentry(), hours(), temporary())
    return loaded("".join(everything)).rules


def test_the_roles_block_gives_permissions_and_takes_what_restrictions_say() -> None:
    rules = loaded(roles() + users()).rules

    assert rules.roles == ("developer", "tech-lead", "admin", "contractor", "administrator")
    assert allowed(rules, ALICE, "github.list_issues", **REPO)
    assert allowed(rules, ALICE, "github.create_issue", **REPO)
    assert not allowed(rules, ALICE, "github.create_pull_request", **REPO)
    assert allowed(rules, ALICE, "sentry.whoami")
    assert allowed(rules, BOB, "github.delete_file", **REPO)
    denied = verdict(rules, ALICE, "github.delete_file", **REPO)
    assert isinstance(denied, Deny)
    assert denied.rule == "developer: no_delete"


def test_no_admin_repos_takes_what_a_permission_gives() -> None:
    text = roles().replace("- github:read", "- github:*", 1) + users()
    rules = loaded(text).rules

    denied = verdict(rules, ALICE, "github.create_repository", organization="myorg", name="x")

    assert isinstance(denied, Deny)
    assert denied.rule == "developer: no_admin_repos"


def test_no_firebase_delete_is_about_firebase_only() -> None:
    servers = SERVERS + '  firebase: {url: "https://firebase.example.com"}\n'
    text = (
        roles().replace("- firebase:write", "- firebase:write\n      - firebase:delete") + users()
    )
    rules = loaded(text, servers=servers).rules

    denied = verdict(rules, BOB, "firebase.delete_document")

    assert isinstance(denied, Deny)
    assert denied.rule == "tech-lead: no_firebase_delete"
    assert allowed(rules, BOB, "github.delete_file", **REPO)


def test_a_contractor_reaches_one_repository_and_nothing_sensitive(rules: Rules) -> None:
    assert allowed(rules, FREELANCER, "github.create_issue", **PUBLIC)
    assert not allowed(rules, FREELANCER, "github.create_issue", **REPO)
    assert not allowed(rules, FREELANCER, "github.search_code", query="repo:myorg/public-project")
    assert not allowed(rules, FREELANCER, "github.list_secret_scanning_alerts", **PUBLIC)
    given = verdict(rules, FREELANCER, "github.list_issues", **PUBLIC)
    assert isinstance(given, Allow)
    assert given.redact == "contractor: no_sensitive_data"


def test_the_users_block_ends_access_after_the_day_it_names(rules: Rules) -> None:
    def may(now: str) -> bool:
        return allowed(rules, FREELANCER, "github.list_issues", at(now), **PUBLIC)

    assert may("2025-12-31T23:59:59+00:00")
    assert not may("2026-01-01T00:00:00+00:00")


def test_the_github_block_bounds_alice_to_her_organisation(rules: Rules) -> None:
    assert allowed(rules, ALICE, "github.list_issues", **REPO)
    assert allowed(rules, ALICE, "github.create_issue", **REPO)
    assert not allowed(rules, ALICE, "github.list_issues", owner="other", repo="x")
    assert not allowed(rules, ALICE, "github.list_issues", owner="MyOrg", repo="Sensitive-Repo")
    denied = verdict(rules, ALICE, "github.list_issues", owner="myorg", repo="sensitive-repo")
    assert isinstance(denied, Deny)
    assert denied.rule == f"github block of {ALICE}: repos"


def test_the_github_block_lets_bob_delete_issues_and_no_repositories(rules: Rules) -> None:
    assert allowed(rules, BOB, "github.list_issues", owner="other", repo="x")
    assert allowed(rules, BOB, "github.label_write", **REPO, method="delete")
    denied = verdict(rules, BOB, "github.delete_repository", **REPO)
    assert isinstance(denied, Deny)
    assert denied.rule == f"github block of {BOB}: deny delete:repos"


def test_the_sentry_block_bounds_developers_to_two_projects(rules: Rules) -> None:
    call = {"organizationSlug": "myorg"}

    assert allowed(rules, ALICE, "sentry.search_events", **call, projectSlug="production")
    assert not allowed(rules, ALICE, "sentry.search_events", **call, projectSlug="secret")
    assert not allowed(rules, ALICE, "sentry.search_events", **call)
    assert not allowed(rules, ALICE, "sentry.add_issue_note", **call, issueId="X-1")
    assert allowed(rules, BOB, "sentry.search_events", **call, projectSlug="secret")


def test_a_group_nobody_defines_is_a_warning_and_with_members_it_may_resolve_issues() -> None:
    text = roles() + users() + sentry()
    found = loaded(text)
    assert ["ops-team" in warning.message for warning in found.warnings].count(True) == 1

    rules = loaded(text + f"groups: {{ops-team: [{FREELANCER}]}}\n").rules

    call = {"organizationSlug": "myorg", "issueId": "WEB-1"}
    assert allowed(rules, FREELANCER, "sentry.update_issue", **call, status="resolved")
    assert allowed(rules, FREELANCER, "sentry.update_issue", **call, status="ignored")
    assert not allowed(rules, FREELANCER, "sentry.delete_uptime_monitor", **call, projectSlug="x")


def test_the_policy_closes_production_to_developers_outside_of_hours() -> None:
    servers = (
        SERVERS
        + '  firebase: {url: "https://f.example.com", environment: production}\n'
        + '  firetest: {url: "https://t.example.com", environment: test}\n'
    )
    more = "accessControl: [{role: developer, allow: [firebase.read, firetest.read]}]\n"
    rules = loaded(roles() + users() + hours() + more, servers=servers).rules

    def may(now: str, who: str = ALICE, server: str = "firebase") -> bool:
        return allowed(rules, who, f"{server}.get_document", at(now))

    assert may("2025-10-20T08:00:00+02:00")
    assert may("2025-10-20T17:59:59+02:00")
    assert not may("2025-10-20T07:59:59+02:00")
    assert not may("2025-10-20T18:00:00+02:00")
    assert not may("2025-10-19T12:00:00+02:00")
    assert may("2025-10-19T12:00:00+02:00", who=BOB)
    assert may("2025-10-19T12:00:00+02:00", server="firetest")
    denied = verdict(rules, ALICE, "firebase.get_document", at("2025-10-19T12:00:00+02:00"))
    assert isinstance(denied, Deny)
    assert denied.rule == "Production Access nur während Arbeitszeit"


def test_temporary_access_is_a_role_from_its_first_day_to_its_last(rules: Rules) -> None:
    def may(now: str) -> bool:
        return allowed(rules, TEMP, "github.list_issues", at(now), **REPO)

    assert not may("2025-09-30T23:59:59+00:00")
    assert may("2025-10-01T00:00:00+00:00")
    assert may("2025-12-31T23:59:59+00:00")
    assert not may("2026-01-01T00:00:00+00:00")
    (grant,) = rules.grants
    assert (grant.user, grant.role, grant.notify) == (TEMP, "developer", 7 * 86400)


def test_the_directors_dotted_permissions_mean_the_same() -> None:
    text = "accessControl:\n" + block("accessControl:", "EOF")
    rules = loaded(
        text + f"users: [{{email: {ALICE}, role: developer}}, {{email: {BOB}, role: admin}}]"
    ).rules

    assert allowed(rules, ALICE, "github.list_issues", **REPO)
    assert not allowed(rules, ALICE, "github.create_issue", **REPO)
    assert allowed(rules, BOB, "github.delete_repository", **REPO)


def test_every_block_at_once_loads_with_warnings_that_are_due(rules: Rules) -> None:
    everything = (roles(), users(), github(), sentry(), hours(), temporary())

    said = {warning.message for warning in loaded("".join(everything)).warnings}

    due = ("configured", "nobody", "ended at", "is no user")
    assert [each for each in said if not any(part in each for part in due)] == []
