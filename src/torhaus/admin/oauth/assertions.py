"""Identity assertions: a company's identity provider lets a client in (EMA, ID-JAG)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.oauth.acts import AcceptAssertion, Assigned, Denied, Issued
from torhaus.admin.oauth.facts import denied, family_facts
from torhaus.admin.oauth.issuing import INVALID, ISSUED, Server, gone
from torhaus.admin.oauth.tokens import Tokened, told
from torhaus.admin.people.crowding import ASSERTED, room
from torhaus.admin.people.halted import halted
from torhaus.admin.perform import Admin
from torhaus.audit.acts import Act
from torhaus.identity.jose import TokenError, UnknownKeyError, VerificationKey
from torhaus.identity.keys import ACCESS, RANDOM_BYTES, digest, mint
from torhaus.identity.oauth.idjag import SKEW, Asserted, Awaited, asserted, issuer
from torhaus.model.accounts import Link
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.model.desk import Desk, Office
from torhaus.model.oauth import AuthorizationServer, Client
from torhaus.model.people import Principal
from torhaus.model.providers import OidcProvider
from torhaus.model.rules import Rules
from torhaus.model.signin import SignInError

SOURCE = "id-jag"


class Documents(Protocol):
    """A provider's keys. Raises SignInError."""

    async def keys(self, now: float) -> Sequence[VerificationKey]: ...
    async def newer_keys(self, now: float) -> Sequence[VerificationKey]:
        """Where a key is missing in the others."""
        ...


def accepting(server: Server) -> Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]:
    async def accept(desk: Desk, scene: Scene, act: AcceptAssertion) -> Effect | Refusal:
        said, now = act.asserted, scene.now
        family = _family(scene, act, server().access)
        facts = family_facts(family, act.grant.audience)
        link = await desk.identities.get(said.issuer, said.subject)
        halt = await halted(desk, scene.actor.email, now)
        refusal = nobody(link, act, server().access, halt, scene)
        if refusal is not None:
            return refusal
        if not await desk.seen.first(f"{SOURCE}:{said.issuer}", said.id, said.expires + 2 * SKEW):
            return denied(ISSUED, INVALID, "this assertion was used already", facts)
        credential = Credential(
            digest=act.grant.access,
            id=act.grant.id,
            kind=CredentialKind.ACCESS,
            email=scene.actor.email,
            family=family.id,
            label=family.label,
            audience=act.grant.audience,
            created=now,
            expires=family.expires,
        )
        crowd = await room(desk, scene, family.email, family.id, family.kind)
        await desk.families.add(family)
        await desk.credentials.add(credential, act.ip)
        facts = {**facts, **crowd.facts()}
        return Effect(
            result=Issued(audience=act.grant.audience, expires=family.expires),
            act=Act(operation=ISSUED, facts=facts, after={"credential": credential.id}),
            rule="identity provider",
            issued=(credential,),
            ended=crowd.ended,
        )

    return accept


def nobody(
    link: Link | None, act: AcceptAssertion, seconds: float, halt: str | None, scene: Scene
) -> Refusal | None:
    """Whether an assertion speaks for nobody who may come in. `halt`: why he may not.

    Pure, so that it is known before there is a turn to write, and looked at again then.
    """
    if link is None or link.email != scene.actor.email:
        wrong: str | None = "this account is not linked here: its owner signs in in a browser once"
    else:
        wrong = gone(scene) or halt
    if wrong is None:
        return None
    facts = family_facts(_family(scene, act, seconds), act.grant.audience)
    return denied(ISSUED, INVALID, wrong, facts)


def _family(scene: Scene, act: AcceptAssertion, seconds: float) -> Family:
    """One for each assertion, and no refresh token: the provider is asked again each time."""
    return Family(
        id=f"{ASSERTED}{act.grant.id}",
        kind=FamilyKind.CONSENT,
        email=scene.actor.email,
        client_id=act.client.id,
        label=act.client.name,
        audience=act.grant.audience,
        issuer=act.asserted.issuer,
        subject=act.asserted.subject,
        created=scene.now,
        used=scene.now,
        expires=scene.now + seconds,
        ip=act.ip,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertions:
    """`random(n)`: n random bytes. `clock`: Unix seconds."""

    admin: Admin
    office: Office
    rules: Callable[[], Rules]
    server: Callable[[], AuthorizationServer]
    clock: Callable[[], float]
    random: Callable[[int], bytes]
    documents: Callable[[OidcProvider], Documents]

    async def accept(
        self, token: str, client: Client, origin: str, aim: Callable[[str], str | None], ip: str
    ) -> Tokened | Denied:
        """`aim`: the server that a resource means. Raises StateError and LedgerError."""
        if client.kind != "file" or client.secret is None:
            text = "assertions are taken from clients of the configuration that have a secret"
            return Denied("unauthorized_client", text)
        try:
            said = await self._proved(token, client, origin)
        except (TokenError, SignInError) as error:
            return Denied(INVALID, f"the assertion is not taken: {error}")
        audience = aim(said.resource)
        if audience is None:
            return Denied("invalid_target", "resource is not a server of this gateway")
        async with self.office.read() as desk:
            link = await desk.identities.get(said.issuer, said.subject)
            email = "" if link is None else link.email
            halt = await halted(desk, email, self.clock())
        actor = self.rules().principals.get(email) or Principal(id=email, email=email)
        access = mint(self.random(RANDOM_BYTES), ACCESS)
        grant = Assigned(
            access=digest(access), id="tok_" + self.random(10).hex(), audience=audience
        )
        act = AcceptAssertion(asserted=said, client=client, grant=grant, ip=ip)
        refusal = await self.admin.refused(
            actor, lambda scene: nobody(link, act, self.server().access, halt, scene), ip
        )
        done = refusal or await self.admin.perform(actor, act, ip)
        if isinstance(done, Refusal):
            return Denied(done.code, done.reason)
        return told(access, "", done.result, self.clock())

    async def _proved(self, token: str, client: Client, origin: str) -> Asserted:
        now, named = self.clock(), issuer(token)
        provider = self._provider(named)
        awaited = Awaited(
            issuer=provider.issuer,
            audience=origin,
            client_id=client.id,
            algorithms=provider.algorithms,
            now=now,
        )
        documents = self.documents(provider)
        try:
            return asserted(token, await documents.keys(now), awaited)
        except UnknownKeyError:
            return asserted(token, await documents.newer_keys(now), awaited)

    def _provider(self, issuer: str) -> OidcProvider:
        taken = self.server().assertions
        for each in self.rules().providers:
            if not isinstance(each, OidcProvider):
                continue
            if each.issuer == issuer and each.name in taken:
                return each
        raise TokenError("its issuer may not let clients in here")
