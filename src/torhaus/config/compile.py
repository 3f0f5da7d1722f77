"""From the schema to what the house works with: `Settings` and `Rules`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import urlsplit

import msgspec

from torhaus.config import policing
from torhaus.config.accesses import Accesses
from torhaus.config.addresses import is_loopback
from torhaus.config.auditing import audit_settings
from torhaus.config.blocks import rulings
from torhaus.config.budgets import limits
from torhaus.config.certificates import shown
from torhaus.config.credentials import SHORT
from torhaus.config.doubts import doubt
from torhaus.config.entrances import openid, providers, vouching
from torhaus.config.keeping import kept
from torhaus.config.oauth import authorization_server
from torhaus.config.people import People, people, principal, principals
from torhaus.config.places import NOWHERE, Places, places
from torhaus.config.policing import Rule
from torhaus.config.pricing import costs
from torhaus.config.pushers import sources
from torhaus.config.recording import recorded
from torhaus.config.retained import retained
from torhaus.config.roster import Merging
from torhaus.config.rulings import Rulings
from torhaus.config.schema import File
from torhaus.config.sensitive import Data
from torhaus.config.settings import Settings
from torhaus.config.tree import Path, Source
from torhaus.config.upstreams import digest_of, server
from torhaus.config.views import aggregation, views
from torhaus.config.words import Words
from torhaus.model.approval import ApprovalSettings
from torhaus.model.grant import Grant
from torhaus.model.names import HOUSE
from torhaus.model.notify import Webhook
from torhaus.model.people import AnonymousAccess
from torhaus.model.person import NOBODY, Roster
from torhaus.model.redis import RedisSettings
from torhaus.model.rules import Rules
from torhaus.model.secret import Secret


def settings(source: Source, file: File, data_dir: FilePath | None) -> Settings:
    """What is read once. `data_dir`, from the command line, goes before the file's."""
    server, state = file.server, file.storage.state
    return Settings(
        host=server.host,
        port=server.port,
        public_url=server.public_url,
        allowed_hosts=tuple(server.allowed_hosts),
        allowed_origins=tuple(server.allowed_origins),
        plaintext=server.plaintext,
        tls=shown(source, server.tls, server.public_url),
        trusted_proxies=server.trusted_proxies,
        proxy_headers=server.proxy_headers,
        hsts=int(server.hsts),
        max_body=server.max_body,
        metrics_networks=server.metrics_networks,
        data_dir=FilePath(server.data_dir) if data_dir is None else data_dir,
        audit=audit_settings(source, file.audit_logs),
        queries=dict(file.audit_logs.queries),
        timezone=server.timezone,
        state_url=None if state is None else Secret(state.get_secret_value()),
        cache_size=file.caching.max_size,
        redis=_redis(source, file),
        retention=retained(source, file),
        bucket=None if file.storage.audit is None else file.storage.audit.settings(),
        egress=file.egress.allow,
        egress_ca=file.egress.trusted(source),
        oauth=authorization_server(source, file.auth.server, openid(file)),
        local=file.auth.local.accounts(),
        fresh_sign_in=file.auth.fresh_sign_in,
    )


def _redis(source: Source, file: File) -> RedisSettings | None:
    spec = file.storage.redis
    if spec is None:
        return None
    found = spec.settings(FilePath(source.name).absolute().parent)
    tls = () if found.tls is None else msgspec.structs.asdict(found.tls).items()
    for key, path in tls:
        if path is not None and not FilePath(path).is_file():
            here: Path = ("storage", "redis", "tls", key)
            source.error(here, "there is no such file", "correct the path")
    return found


class Blueprint(msgspec.Struct, frozen=True):
    """What rules are put together from once more when grants change. `bare`: without people."""

    bare: Rules
    people: People
    said: Rulings
    policies: tuple[Rule, ...]
    places: Places = NOWHERE

    def rules(self, grants: Sequence[Grant] = (), roster: Roster = NOBODY) -> Rules:
        """The rules with these grants and people, from the database, besides the file's.

        Grants that name a role or user nobody has are left out. Raises FaultError when rules and
        roles multiply beyond all reason.
        """
        every = self._every(grants)
        accesses = self._accesses()
        everybody = Merging(self.people, roster, self.bare.roles).everybody()
        spec, anonymous = self.people.networks, self.people.anonymous
        persons = [*everybody.persons.values(), *([] if anonymous is None else [anonymous])]
        who = principals(persons, every, accesses)
        parts = [self.bare.version, *map(repr, every), *map(repr, everybody.persons.values())]
        return msgspec.structs.replace(
            self.bare,
            version=digest_of("torhaus rules", parts)[:16],
            grants=every,
            role_access={role: accesses.of((role,), (), "") for role in self.bare.roles},
            principals=who,
            groups=everybody.groups,
            keys={key: who[email] for key, email in self.people.keys.items() if email in who},
            anonymous=() if anonymous is None else (AnonymousAccess(spec, who[anonymous.email]),),
            unknown_roles=everybody.unknown,
        )

    def amended(
        self, rules: Rules, grants: Sequence[Grant], roster: Roster, emails: Iterable[str]
    ) -> Rules:
        """The same rules, where only these people have changed: quick enough to do at once.

        `grants` and `roster`: all of them, as they are now. Raises FaultError as `rules` does.
        """
        every, accesses = self._every(grants), self._accesses()
        merging = Merging(self.people, roster, self.bare.roles)
        who = dict(rules.principals)
        for email in emails:
            person = merging.one(email)
            if person is None:
                who.pop(email, None)
            else:
                own = [grant for grant in every if grant.user == email]
                who[email] = principal(person, own, accesses)
        parts = [rules.version, *map(repr, every), *(repr(who.get(each)) for each in emails)]
        return msgspec.structs.replace(
            rules,
            version=digest_of("torhaus rules", parts)[:16],
            grants=every,
            principals=who,
            keys={key: who[email] for key, email in self.people.keys.items() if email in who},
        )

    def _every(self, grants: Sequence[Grant]) -> tuple[Grant, ...]:
        known = frozenset(self.bare.roles)
        return (*self.people.grants, *(grant for grant in grants if grant.role in known))

    def _accesses(self) -> Accesses:
        """Made anew each time: what grants of last year needed is not kept."""
        return Accesses((*self.bare.servers, *_house(self.said)), self.said, self.policies)


def _house(said: Rulings) -> tuple[str, ...]:
    """The gateway itself, where rules name rights over it."""
    every = (ruling for rulings in said.roles.values() for ruling in rulings)
    stated = (one for ruling in every for one in (*ruling.allows, *ruling.denies))
    return (HOUSE,) if any(one.server == HOUSE for one in stated) else ()


def blueprint(source: Source, file: File, environ: Mapping[str, str], now: float) -> Blueprint:
    """The rules the file states. Mistakes go to `source.problems`, doubts to `source.warnings`.

    `now`: Unix seconds, for doubts about what has ended.
    """
    hide = file.server.hide_denied
    servers = {
        name: server(source, name, spec, environ, hide_denied=hide)
        for name, spec in file.mcpServers.items()
    }
    servers = recorded(source, file, kept(source, file, servers))
    vouching(source, file)
    words = Words(source, file, servers)
    data = Data(words, file.data_classes)
    said = rulings(words, file, data)
    rules = policing.rules(words, file)
    who = people(words, file)
    doubt(words, file, said, rules, who, now=now)
    parts = [source.text, *(one.credential for one in servers.values()), *map(bytes.hex, who.keys)]
    bare = Rules(
        version=digest_of("torhaus rules", parts)[:16],
        policy_version=_policy_version(file),
        servers=servers,
        metrics_networks=file.server.metrics_networks,
        patterns=data.patterns,
        roles=words.roles,
        groups=who.groups,
        approvals=ApprovalSettings(hold=file.approvals.hold, expires=file.approvals.expires),
        webhook=_webhook(source, file),
        mail=None if file.notifications.email is None else file.notifications.email.server(),
        timezone=file.server.timezone,
        limits=limits(words, file),
        costs=costs(words, file),
        views=views(source, file, servers),
        providers=providers(words, file),
        scim=sources(words, file.auth.scim),
        aggregate=aggregation(file),
        rotation=file.rotation.rotation(),
        filed={email: each.responsible for email, each in who.persons.items()},
        held={email: (*each.roles, *each.limited) for email, each in who.persons.items()},
        teams=who.teams,
        key_numbers=who.key_numbers,
    )
    return Blueprint(bare, who, said, rules, places(source, file, words.stated))


# What decides calls. Keys of users, addresses of servers, limits and caches do not.
_DECIDES: Any = {
    "accessControl": True,
    "roles": True,
    "groups": True,
    "permissions": True,
    "policies": True,
    "temporary_access": True,
    "data_classes": True,
    "users": {"__all__": {"email", "role", "roles", "groups", "expires", "responsible"}},
    "mcpServers": {"__all__": {"classification", "environment", "drift"}},
    "server": {"timezone"},
    "auth": {"anonymous"},
}


def _policy_version(file: File) -> str:
    parts = [file.model_dump_json(include=_DECIDES)]
    for path, server_name, blocks in file.blocks():
        parts += [".".join(path), server_name]
        parts += [text for whom, one in blocks.items() for text in (whom, one.model_dump_json())]
    return digest_of("torhaus policy", parts)[:16]


def _webhook(source: Source, file: File) -> Webhook | None:
    spec = file.notifications.webhook
    if spec is None or spec.secret is None:
        return None
    path: Path = ("notifications", "webhook")
    parts = urlsplit(spec.url)
    if parts.scheme.lower() == "http" and not is_loopback(parts.hostname or ""):
        message = "notices cross the network unencrypted (http)"
        source.warn((*path, "url"), message, "use https")
    secret = spec.secret.get_secret_value()
    if len(secret) < SHORT:
        message = f"the secret is shorter than {SHORT} characters and can be guessed"
        source.warn((*path, "secret"), message, "use a random one: openssl rand -hex 32")
    return Webhook(spec.url, Secret(secret))
