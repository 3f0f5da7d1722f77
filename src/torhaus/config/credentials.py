"""API keys of users: by digest, and whose they are."""

import re

from torhaus.config.schema import User
from torhaus.config.tree import Path, Source
from torhaus.identity import keys

SHORT = 16


class Keys:
    """Digest -> the user's address, and which of his keys it is, from 1 on. Keys are not kept."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: dict[bytes, Path] = {}
        self.by_digest: dict[bytes, str] = {}
        self.numbers: dict[bytes, int] = {}

    def add(self, path: Path, user: User) -> None:
        """A user's keys. Mistakes are reported; no message shows a key."""
        for index, secret in enumerate(user.api_keys):
            here: Path = (*path, "api_keys", index)
            key = secret.get_secret_value()
            if self._sendable(here, key):
                self._keep(here, keys.digest(key), user.email, index + 1)

    def _sendable(self, path: Path, key: str) -> bool:
        if not key:
            self._source.error(path, "the key is empty", "set the variable, or remove the key")
            return False
        if re.fullmatch(r"[\x21-\x7e]{1,512}", key) is None:
            message = "a key is printable ASCII without spaces, at most 512 characters"
            self._source.error(path, message, "check the variable or file for a line break")
            return False
        if len(key) < SHORT:
            message = f"the key is shorter than {SHORT} characters and can be guessed"
            self._source.warn(path, message, "use a random one: openssl rand -hex 32")
        return True

    def _keep(self, path: Path, digest: bytes, user: str, number: int) -> None:
        nodes = self._source.nodes(path)
        if nodes[-1].broken:
            return
        if digest in self.by_digest:
            line = self._source.line(self._first[digest])
            message = f"the same key is on line {line} already"
            self._source.error(path, message, "give every user a key of their own")
            return
        self._first[digest] = path
        self.by_digest[digest] = user
        self.numbers[digest] = number
