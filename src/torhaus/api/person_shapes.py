"""People, keys, sessions and stops as the API takes and gives them."""

from datetime import UTC
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field

from torhaus.admin.people.acts import Ended, Outcome, Program
from torhaus.admin.people.books import Listed
from torhaus.api.shapes import Given, Taken, end_of
from torhaus.audit.shape import timestamp
from torhaus.model.credentials import Credential, Family, FamilyKind, Kept
from torhaus.model.person import Person, PersonKind, PersonState
from torhaus.model.stops import Stop, StopKind

Roles = Annotated[tuple[str, ...], Field(max_length=50, description="Names of roles of the file.")]
End = Annotated[
    AwareDatetime | None, Field(description="The end, with a time zone; without it, none.")
]
Servers = Annotated[
    tuple[str, ...],
    Field(max_length=100, description="The only servers; all that the roles open without it."),
]
Responsible = Annotated[
    str, Field(max_length=320, description="Who answers for a service account: it needs a person.")
]
Reason = Annotated[str, Field(max_length=500, description="For the record.")]


def instant(when: AwareDatetime | None) -> float | None:
    return None if when is None else when.astimezone(UTC).timestamp()


class NewPerson(Taken):
    """Somebody new."""

    email: Annotated[str, Field(max_length=320)]
    kind: PersonKind = PersonKind.USER
    name: Annotated[str, Field(max_length=200)] = ""
    roles: Roles = ()
    servers: Servers = ()
    expires: End = None
    responsible: Responsible = ""


class PersonChange(Taken):
    """What is left out stays as it is. `forever` takes the end away, `servers: []` the limit."""

    name: Annotated[str | None, Field(max_length=200)] = None
    roles: Annotated[tuple[str, ...] | None, Field(max_length=50)] = None
    servers: Annotated[tuple[str, ...] | None, Field(max_length=100)] = None
    expires: End = None
    forever: bool = False
    responsible: Responsible | None = None


class Ending(Taken):
    """Why somebody's access ends, and who answers for his service accounts from now on."""

    reason: Reason = ""
    hand_to: Annotated[
        str,
        Field(max_length=320, description="A person who is here; they are suspended without."),
    ] = ""


class Relinking(Taken):
    """Where the account is that is somebody's from now on."""

    provider: Annotated[
        str, Field(max_length=63, description="A provider of the file; any of them without.")
    ] = ""


class NewKey(Taken):
    """A key for yourself, or for somebody whose every role you could give."""

    person: Annotated[str, Field(max_length=320, description="Whose; yours without it.")] = ""
    label: Annotated[str, Field(max_length=100, description="What people know it by.")]
    scopes: Annotated[
        tuple[str, ...], Field(max_length=50, description="Permissions that it is held to.")
    ] = ()
    server: Annotated[
        str | None, Field(max_length=64, description="The one server it is for; all without it.")
    ] = None
    expires: End = None


class NewStop(Taken):
    """What is stopped: an address, a key's id, a server, or SERVER/TOOL."""

    kind: StopKind
    target: Annotated[str, Field(max_length=320)]
    reason: Annotated[str, Field(max_length=500, description="Those who are refused are told.")]
    expires: End = None


class PersonOut(Given):
    """Somebody. `owner` says who may change him: `file`, `database`, `scim:NAME`, `idp:NAME`."""

    email: str
    kind: PersonKind
    state: PersonState
    owner: str
    name: str
    roles: list[str]
    servers: list[str]
    active_roles: list[str]
    groups: list[str]
    expires: str | None
    file_keys: int
    left: str | None
    responsible: Annotated[
        str | None, Field(description="Who answers for a service account; null for a person.")
    ]
    orphaned: Annotated[
        bool, Field(description="A service account that nobody who is here answers for.")
    ]
    service_accounts: Annotated[list[str], Field(description="Those this person answers for.")]

    @classmethod
    def of(cls, listed: Listed) -> Self:
        person = listed.person
        return cls(
            email=person.email,
            kind=person.kind,
            state=person.state,
            owner=person.owner,
            name=person.name,
            roles=list(person.roles),
            servers=list(person.servers),
            active_roles=list(listed.roles),
            groups=list(listed.groups),
            expires=end_of(person.expires),
            file_keys=listed.keys,
            left=end_of(person.left_at),
            responsible=person.responsible if person.kind is PersonKind.SERVICE else None,
            orphaned=listed.orphaned,
            service_accounts=list(listed.programs),
        )


class ProgramOut(Given):
    """What became of a service account whose person goes. `responsible`: who has it now."""

    email: str
    outcome: Outcome
    responsible: str | None


class PersonDone(Given):
    """Somebody after a change. `closed`: how many of what ended with his access.

    `service_accounts`: those he answered for, and what became of them.
    """

    email: str
    state: PersonState
    roles: list[str]
    servers: list[str]
    expires: str | None
    closed: dict[str, int]
    service_accounts: list[ProgramOut]

    @classmethod
    def ended(cls, done: Ended) -> Self:
        return cls.of(done.person, dict(done.closed), done.programs)

    @classmethod
    def of(
        cls,
        person: Person,
        closed: dict[str, int] | None = None,
        programs: tuple[Program, ...] = (),
    ) -> Self:
        return cls(
            email=person.email,
            state=person.state,
            roles=list(person.roles),
            servers=list(person.servers),
            expires=end_of(person.expires),
            closed=closed or {},
            service_accounts=[
                ProgramOut(email=each.email, outcome=each.outcome, responsible=each.to or None)
                for each in programs
            ],
        )


class KeyOut(Given):
    """A key; the key itself is shown once, when it is made."""

    id: str
    person: str
    label: str
    scopes: list[str]
    server: str | None
    created: str
    expires: str | None
    used: str | None
    ended: str | None
    ended_by: str | None

    @classmethod
    def of(cls, kept: Kept) -> Self:
        return cls(
            **_key(kept.credential),
            used=end_of(kept.used),
            ended=end_of(kept.ended),
            ended_by=kept.ended_by,
        )


class KeyMade(Given):
    """A new key. `key` is shown here and never again."""

    id: str
    key: str
    person: str
    label: str
    scopes: list[str]
    server: str | None
    created: str
    expires: str | None

    @classmethod
    def of(cls, credential: Credential, key: str) -> Self:
        return cls(key=key, **_key(credential))


def _key(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "person": credential.email,
        "label": credential.label,
        "scopes": list(credential.scopes),
        "server": credential.audience,
        "created": timestamp(credential.created),
        "expires": end_of(credential.expires),
    }


class SessionOut(Given):
    """A browser session, or a client that was let in. `client`: its id."""

    id: str
    kind: FamilyKind
    person: str
    label: str
    client: str | None
    server: str | None
    created: str
    used: str
    expires: str | None
    ip: str

    @classmethod
    def of(cls, family: Family) -> Self:
        return cls(
            id=family.id,
            kind=family.kind,
            person=family.email,
            label=family.label,
            client=family.client_id,
            server=family.audience,
            created=timestamp(family.created),
            used=timestamp(family.used),
            expires=end_of(family.expires),
            ip=family.ip,
        )


class StopOut(Given):
    """A stop. `in_force`: whether anybody is refused by it now."""

    id: str
    kind: StopKind
    target: str
    reason: str
    in_force: bool
    created: str
    created_by: str
    expires: str | None
    lifted: str | None
    lifted_by: str | None

    @classmethod
    def of(cls, stop: Stop, now: float) -> Self:
        return cls(
            id=stop.id,
            kind=stop.kind,
            target=stop.target,
            reason=stop.reason,
            in_force=stop.holds(now),
            created=timestamp(stop.created),
            created_by=stop.created_by,
            expires=end_of(stop.expires),
            lifted=end_of(stop.lifted_at),
            lifted_by=stop.lifted_by,
        )
