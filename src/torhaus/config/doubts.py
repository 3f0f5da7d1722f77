"""What loads and is probably not meant: said as warnings, which never stop a file."""

from collections.abc import Sequence

from torhaus.config import catalogues, endings, nobody, shadows
from torhaus.config.addresses import is_loopback
from torhaus.config.entrances import SINGLE
from torhaus.config.people import People
from torhaus.config.policing import Rule
from torhaus.config.rulings import Rulings
from torhaus.config.schema import File
from torhaus.config.tree import Source
from torhaus.config.words import Words


def doubt(
    words: Words, file: File, said: Rulings, rules: Sequence[Rule], who: People, *, now: float
) -> None:
    """Everything there is to doubt. `now`: Unix seconds."""
    signs_in = _signs_in(file)
    _settings(words.source, file, signs_in=signs_in)
    _blocks(words.source, file)
    catalogues.doubt(words, rules)
    shadows.doubt(words, file)
    endings.doubt(words, file, who, now)
    nobody.doubt(words, rules, said, who, signs_in=signs_in)


def _blocks(source: Source, file: File) -> None:
    for path, server, blocks in file.blocks():
        for whom, block in blocks.items():
            if not block.model_fields_set:
                source.warn((*path, whom), "this block says nothing", "add allow or deny")
            elif block.exclusive and not block.allow:
                message = f"nothing on {server} is allowed to {whom}: the block is exclusive"
                source.warn((*path, whom), message, "add allow, or remove exclusive")


def _signs_in(file: File) -> bool:
    """Whether there is a way in for people, besides keys of the file."""
    singles = any(getattr(file.auth, key) is not None for key in SINGLE)
    return singles or bool(file.auth.providers) or file.auth.local.enabled


def _settings(source: Source, file: File, *, signs_in: bool) -> None:
    auth = file.auth
    named = auth.provider
    if named is not None and getattr(auth, named) is None:
        source.error(("auth", "provider"), f"there is no {named} block", f"add auth.{named}")
    keyed = any(user.api_keys for user in file.users)
    if auth.anonymous is None and not (keyed or signs_in):
        message = (
            "nobody can call: no user has a key, there is no way to sign in, and anonymous "
            "access is off"
        )
        source.warn(("users",), message, 'add users with api_keys: ["${FIRST_KEY}"]')
    if not file.mcpServers:
        source.warn(("mcpServers",), "no server is configured", "add one under mcpServers")
    outside = not is_loopback(file.server.host)
    if outside and file.server.public_url is None and not file.server.allowed_hosts:
        message = "Torhaus listens beyond this machine and answers to any Host name"
        source.warn(("server", "host"), message, "set server.public_url or server.allowed_hosts")
    if outside and file.server.plaintext == "any":
        message = "keys may cross public networks unencrypted"
        source.warn(("server", "plaintext"), message, "put TLS in front, and use private")
