"""A server's `auth: {type: oauth}` compiled: how tokens for it are got."""

from pathlib import Path as FilePath

from pydantic import SecretStr

from torhaus.config.serverauth import ServerAuth
from torhaus.config.tree import Path, Source
from torhaus.model.names import normal
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting, Assertion, OAuthAccess
from torhaus.policy.globs import compile_glob


def oauth_access(source: Source, path: Path, auth: ServerAuth) -> OAuthAccess | None:
    """None for another type. Mistakes go to `source.problems`."""
    if auth.type != "oauth" or auth.mode is None:
        return None
    tools = []
    for pattern, who in auth.accounts.items():
        try:
            # Names are compared without case, - and _; a star stands for what is left.
            glob = compile_glob("*".join(normal(part) for part in pattern.split("*")))
        except ValueError as error:
            source.error((*path, "accounts", pattern), str(error), "write a tool's name, or get_*")
            continue
        tools.append((glob, Acting(who)))
    return OAuthAccess(
        mode=Acting(auth.mode),
        client_id=auth.client_id or "",
        client_secret=_secret(auth.client_secret),
        private_key=_secret(auth.private_key),
        key_id=auth.key_id or "",
        algorithm=auth.algorithm or "",
        reader=auth.assertion_audience or "issuer",
        assertion=_assertion(source, (*path, "assertion"), auth.assertion),
        federated=auth.federates,
        method=auth.client_auth or "",
        bound=auth.dpop,
        provider=auth.provider or "",
        scopes=auth.scopes,
        audience=auth.audience or "",
        resource=auth.resource or "",
        issuer=auth.issuer or "",
        token_endpoint=auth.token_endpoint or "",
        tools=tuple(tools),
    )


def told_apart(oauth: OAuthAccess) -> list[str]:
    """What makes answers got in one way unfit for another."""
    secrets = [each.reveal() for each in (oauth.client_secret, oauth.private_key) if each]
    plain = [oauth.mode, oauth.client_id, oauth.audience, oauth.resource, oauth.issuer]
    tools = [f"{glob.text}={who}" for glob, who in oauth.tools]
    platform = oauth.assertion
    said = [] if platform is None else [platform.scheme, platform.what, str(oauth.federated)]
    return [
        "oauth",
        *plain,
        oauth.token_endpoint,
        oauth.provider,
        *oauth.scopes,
        *tools,
        *secrets,
        *said,
    ]


def _assertion(source: Source, path: Path, said: str | None) -> Assertion | None:
    """Only named here: it is read when a token is needed."""
    if said is None:
        return None
    scheme, _, what = said.partition(":")
    if scheme == "exec" and source.nodes(path)[-1].outside:
        text = "a command must stand in the file as it is, without variables"
        source.error(path, text, "write its words, and give it its environment")
    return Assertion(scheme, what.strip(), str(FilePath(source.name).absolute().parent))


def _secret(value: SecretStr | None) -> Secret | None:
    return None if value is None else Secret(value.get_secret_value())
