from torhaus.admin.inviting.letters import invitation_letter
from torhaus.model.accounts import Invitation

MADE = Invitation(
    id="i",
    digest=b"",
    email="erin@company.local",
    message="Welcome!\n{link} ${x} {{ 7*7 }}",
    created_by="alice@example.com",
    expires=1_800_000_000.0,
)


def test_a_letter_is_in_both_languages_and_quotes_what_others_wrote() -> None:
    letter = invitation_letter(MADE, "https://gw/invite/abc")

    assert letter.to == "erin@company.local"
    assert letter.text.count("https://gw/invite/abc") == 2
    assert "lädt dich ein" in letter.text
    assert "invites you" in letter.text
    assert letter.text.endswith("> Welcome!\n> {link} ${x} {{ 7*7 }}\n")
    assert "2027-01-15 08:00" in letter.text
