"""What records call the credential that somebody has shown. Pure.

Nothing of the secret is in it, and nothing of its digest: keys of the file may be short enough to
be guessed by whoever reads records. Ids are those that lists of keys and sessions show.
"""

from torhaus.model.credentials import Credential, CredentialKind

_KINDS = {
    CredentialKind.KEY: "key",
    CredentialKind.ACCESS: "token",
    CredentialKind.SESSION: "session",
}

FILE_KEY = "file-key:"


def shown(credential: Credential) -> str:
    """`key:<id>`, `token:<id>` or `session:<id>`.

    A key goes by its own id; tokens come and go, so they and cookies go by the consent or the
    session that they came of.
    """
    kind = _KINDS[credential.kind]
    own = credential.kind is CredentialKind.KEY or not credential.family
    return f"{kind}:{credential.id if own else credential.family}"


def of_file(number: int | None) -> str:
    """`file-key:<number>`: which of its owner's `api_keys` it is, from 1 on. Empty for None."""
    return "" if number is None else f"{FILE_KEY}{number}"
