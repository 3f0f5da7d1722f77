"""`restrictions` of a role: what everybody in it may not do, whatever else allows it."""

from collections.abc import Sequence

from torhaus.config.access import ALL, KINDS
from torhaus.config.problems import FaultError
from torhaus.config.rulings import Ruling
from torhaus.config.sensitive import Data
from torhaus.config.tree import Path, meant, printable
from torhaus.config.words import Stated, Words
from torhaus.model.access import Bound, Permission, TagDeny
from torhaus.policy.permission import ACTIONS

ONLY = {f"only_{kind}": kind for kind in KINDS}
SENSITIVE = "no_sensitive_data"
ADMIN_REPOS = "no_admin_repos"


class Restrictions:
    """Reads restrictions. What nobody knows is an error, never no restriction."""

    def __init__(self, words: Words, data: Data) -> None:
        self._words = words
        self._data = data
        # Servers are called my-server; people write no_my_server_delete as well.
        self._spelled = {name.replace("-", "_"): name for name in words.servers}

    def read(self, role: str, path: Path, word: str, names: Sequence[str] | None) -> list[Ruling]:
        """What one entry means. Mistakes are reported at `path`."""
        rule = f"{role}: {word}"
        if word in ONLY:
            return self._only(rule, path, word, names or ())
        return self._words.read(path, lambda: self._no(rule, path, word, names)) or []

    def _only(self, rule: str, path: Path, word: str, names: Sequence[str]) -> list[Ruling]:
        here = (*path, word)
        if not names:
            fix = f'write {word}: ["myorg/public-project"]'
            self._words.source.error(path, f"{word} needs a list", fix)
        kind = ONLY[word]
        allow = self._words.globs(here, kind, names) if ALL.isdisjoint(names) else None
        return [Ruling(bounds=(Bound(kind=kind, rule=rule, allow=allow),))]

    def _no(self, rule: str, path: Path, word: str, names: Sequence[str] | None) -> list[Ruling]:
        if names is not None:
            raise FaultError(f"{printable(word)!r} takes no list", f"write - {printable(word)}")
        if word == SENSITIVE:
            tags = TagDeny(frozenset({"sensitive", "personal"}), rule)
            hidden = self._data.outside(("sensitive", "personal"), rule)
            return [Ruling(tags=(tags,), redact=rule), *hidden]
        denied = self._deny(rule, path, word)
        self._words.stated.append(Stated(path, denied, denies=True))
        found = [Ruling(denies=(denied,))]
        if word == ADMIN_REPOS:
            found += self._data.outside(("admin",), rule)
        return found

    def _deny(self, rule: str, path: Path, word: str) -> Permission:
        """`no_<action>`, `no_<action>_<type>` or `no_<server>_<action>`."""
        rest = word.removeprefix("no_")
        if rest == word or not rest:
            raise self._unknown(path, word)
        if rest in ACTIONS:
            return Permission("*", "*", rest, rule)
        for action in sorted(ACTIONS):
            if rest.removeprefix(f"{action}_") in self._words.types and rest.startswith(action):
                return Permission("*", rest.removeprefix(f"{action}_"), action, rule)
        server, _, action = rest.rpartition("_")
        if not server or action not in ACTIONS:
            raise self._unknown(path, word)
        name = self._spelled.get(server.replace("-", "_"), server)
        self._words.server(name, path, holds_back=True)
        return Permission(name, "*", action, rule)

    def _unknown(self, path: Path, word: str) -> FaultError:
        known = [SENSITIVE, ADMIN_REPOS, *ONLY, *(f"no_{action}" for action in sorted(ACTIONS))]
        known += [f"no_{name}_{action}" for name in self._words.servers for action in ACTIONS]
        close = None if self._words.outside(path) else meant(word, known)
        fix = (
            f"did you mean {close}?"
            if close
            else (
                "use no_<action>, no_<action>_<type>, no_<server>_<action>, no_sensitive_data "
                "or only_repos: [...]"
            )
        )
        return FaultError(f"no restriction is called {printable(word)!r}", fix)
