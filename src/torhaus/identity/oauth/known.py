"""Metadata documents of well-known clients, as they are published, so that none must be fetched.

A gateway without a way to the internet knows them too, and nobody who takes over one of these
hosts gets at a gateway's people. As of autumn 2026.
"""

from collections.abc import Mapping

from torhaus.model.oauth import Client

_LOCAL = ("http://localhost/callback", "http://127.0.0.1/callback")


def _document(url: str, name: str, *redirect_uris: str) -> Client:
    return Client(id=url, kind="document", name=name, redirect_uris=redirect_uris)


KNOWN: Mapping[str, Client] = {
    each.id: each
    for each in (
        # Without a port, and each login takes another one (anthropics/claude-code#37747).
        _document("https://claude.ai/oauth/claude-code-client-metadata", "Claude Code", *_LOCAL),
        _document(
            "https://vscode.dev/oauth/client-metadata.json",
            "Visual Studio Code",
            "http://127.0.0.1:33418/",
            "https://vscode.dev/redirect",
        ),
        _document("https://chatgpt.com/oauth/codex/client.json", "Codex", *_LOCAL),
        _document("https://zed.dev/oauth/client-metadata.json", "Zed", "http://127.0.0.1/callback"),
        _document("https://opencode.ai/oauth/opencode/client.json", "opencode", *_LOCAL),
    )
}
