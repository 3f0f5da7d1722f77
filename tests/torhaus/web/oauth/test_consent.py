import msgspec

from tests.torhaus.admin.oauth.lobby import CURSOR
from torhaus.identity.oauth.asked import Asked
from torhaus.identity.oauth.known import KNOWN
from torhaus.web.oauth.consent import KINDS, context, leads_to

ASKED = Asked(
    client_id="dcr_1",
    redirect_uri="http://localhost:51283/callback",
    audience="github",
    challenge="x" * 43,
)
CLAUDE = KNOWN["https://claude.ai/oauth/claude-code-client-metadata"]


def test_the_page_names_who_vouches_for_a_client() -> None:
    assert context(CLAUDE, ASKED, None)["vouched"] == "claude.ai"
    assert context(CURSOR, ASKED, None)["vouched"] == ""
    assert context(CURSOR, ASKED, None)["kind"] == KINDS["registered"]


def test_a_client_without_a_name_is_called_by_its_id() -> None:
    assert context(msgspec.structs.replace(CURSOR, name=""), ASKED, None)["client"] == "dcr_1"


def test_the_page_warns_of_programs_on_the_own_computer_alone() -> None:
    web = msgspec.structs.replace(ASKED, redirect_uri="https://app.example/cb")

    assert context(CURSOR, ASKED, None)["local"]
    assert not context(CURSOR, web, None)["local"]


def test_the_form_may_lead_to_where_the_answer_goes_and_to_identity_providers() -> None:
    assert leads_to(ASKED.redirect_uri) == ("http://localhost:51283", "https:")
    assert leads_to("https://app.example/cb") == ("https:",)
    assert leads_to("cursor://anysphere.cursor-mcp/oauth/callback") == ("cursor:", "https:")
