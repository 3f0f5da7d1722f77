"""Somebody who signed in with a directory: his account, a session, and a client he agreed to."""

import msgspec

from tests.torhaus.admin.hall import Hall
from torhaus.model.accounts import Link
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.model.person import Person
from torhaus.model.providers import Gains, LdapProvider, Terms
from torhaus.model.secret import Secret

EMAIL, ISSUER = "erin@example.org", "ldap:corp"
TERMS = Terms(
    groups={
        "devs": Gains(roles=("developer",), groups=("all",)),
        "leads": Gains(roles=("tech_lead",), groups=("all",)),
    }
)
PROVIDER = LdapProvider(
    name="corp",
    label="Corp",
    terms=TERMS,
    host="ldap.example.org",
    port=636,
    tls=True,
    base="dc=example",
    bind_dn="cn=t,dc=example",
    bind_password=Secret("word"),
)


async def signed_in(at: Hall, owner: str = "idp:corp", subject: str = "s1") -> None:
    at.rules = msgspec.structs.replace(at.rules, providers=(PROVIDER,))
    now = at.clock()
    person = Person(email=EMAIL, owner=owner, roles=("developer",), created=now)
    link = Link(issuer=ISSUER, subject=subject, email=EMAIL, provider="corp", groups=("devs",))
    async with at.office.write() as desk:
        await desk.persons.put(person)
        await desk.identities.put(link)
        await desk.teams.set(EMAIL, "idp:corp", ("all",))
        for name, kind, parent in (
            ("session", FamilyKind.SESSION, None),
            ("client", FamilyKind.CONSENT, "session"),
        ):
            family = Family(
                id=name,
                kind=kind,
                email=EMAIL,
                issuer=ISSUER if parent is None else None,
                subject=subject if parent is None else None,
                parent=parent,
                created=now,
                used=now,
                expires=now + 9999,
            )
            await desk.families.add(family)
            credential = Credential(
                digest=name.encode().ljust(32, b"-"),
                id=name,
                kind=CredentialKind.SESSION if parent is None else CredentialKind.ACCESS,
                email=EMAIL,
                family=name,
                created=now,
                expires=now + 9999,
            )
            await desk.credentials.add(credential, "192.0.2.7")


async def roles(at: Hall) -> tuple[str, ...]:
    async with at.office.read() as desk:
        person = await desk.persons.get(EMAIL)
    assert person is not None
    return person.roles


async def living(at: Hall) -> list[str]:
    async with at.office.read() as desk:
        return sorted(each.id for each in await desk.families.of(EMAIL) if each.ended is None)
