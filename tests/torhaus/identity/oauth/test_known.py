from torhaus.identity.oauth.known import KNOWN
from torhaus.identity.oauth.metadata import is_document
from torhaus.identity.oauth.redirects import fault, fits

CLAUDE = "https://claude.ai/oauth/claude-code-client-metadata"


def test_every_document_shipped_could_have_been_fetched() -> None:
    for id, client in KNOWN.items():
        assert is_document(id)
        assert client.name
        assert client.secret is None
        assert [fault(each) for each in client.redirect_uris] == [None] * len(client.redirect_uris)


def test_claude_code_logs_in_at_any_port() -> None:
    assert fits("http://localhost:51283/callback", KNOWN[CLAUDE].redirect_uris)
    assert not fits("http://localhost:51283/evil", KNOWN[CLAUDE].redirect_uris)


def test_nobody_who_sounds_like_one_is_one() -> None:
    for id in (CLAUDE + "/", CLAUDE.upper(), CLAUDE.replace("claude.ai", "claude.ai:443")):
        assert id not in KNOWN
