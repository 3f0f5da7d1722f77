from tests.torhaus.admin.oauth.lobby import CURSOR
from torhaus.admin.oauth.facts import client_facts, denied, family_facts
from torhaus.model.credentials import Family, FamilyKind


def test_records_name_client_and_audience() -> None:
    family = Family(id="f", kind=FamilyKind.CONSENT, email="a@example.org", client_id="c" * 600)

    assert client_facts(CURSOR) == {"client": "dcr_1", "client_name": "Cursor"}
    assert family_facts(family, "")["audience"] == "everything"
    assert len(family_facts(family, "github")["client"]) == 512


def test_a_refusal_carries_the_name_the_client_is_told() -> None:
    assert denied("token.issued", "invalid_grant", "why", {}).code == "invalid_grant"
