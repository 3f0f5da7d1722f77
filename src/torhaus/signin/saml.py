"""Sign-in with SAML 2.0: a signed request by redirect, a signed assertion by form."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from torhaus.identity.addresses import address
from torhaus.model.fetch import Fetch, FetchError
from torhaus.model.providers import SamlProvider
from torhaus.model.signin import NOT_AGAIN, Arrival, Departure, Identity, SignInError, UnaskedError
from torhaus.model.texts import filled, marked
from torhaus.signin.saml_assertion import SKEW, TRANSIENT, Asked, Said, said
from torhaus.signin.saml_metadata import IdentityProvider, SamlMetadataError, identity_provider
from torhaus.signin.saml_shape import AnswerError, decoded, shaped

LIFETIME = 3600.0
"""Seconds until metadata of a URL is fetched anew."""
REST = 5.0
"""Seconds a provider that could not be asked is left alone."""
MAX_METADATA = 1024 * 1024
ANEW = "anew"
"""What is kept of a departure for which he has to prove himself once more: its time."""
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_SECURITY = {
    "authnRequestsSigned": True,
    "wantAssertionsSigned": True,
    "wantNameId": True,
    "wantAttributeStatement": False,
    "rejectDeprecatedAlgorithm": True,
    "requestedAuthnContext": False,
    "allowRepeatAttributeName": True,
    "signatureAlgorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "digestAlgorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
}

Once = Callable[[str, str, float], Awaitable[bool]]
"""(source, id, expires) -> whether it is seen for the first time, over all gateways."""


class SamlSignIn:
    """The port `Redirecting`, for one provider. `key`, `certificate`: PEM, to sign requests with.

    The library checks signatures, we check everything else before and after it ourselves.
    """

    def __init__(
        self, provider: SamlProvider, fetch: Fetch, once: Once, key: str, certificate: str
    ) -> None:
        self.name = provider.name
        self.label = provider.label
        self._provider = provider
        self._fetch = fetch
        self._once = once
        self._key = key
        self._certificate = certificate
        self._turn = asyncio.Lock()
        self._known: tuple[float, IdentityProvider] | None = None
        self._failed: tuple[float, str] | None = None

    async def depart(
        self, state: str, callback: str, now: float, *, anew: bool = False
    ) -> Departure:
        idp = await self._idp(now)
        url, request = await asyncio.to_thread(self._request, idp, state, callback, anew=anew)
        private = {"request": request, "idp": idp.entity_id}
        if anew:
            private[ANEW] = str(now)
        return Departure(url=url, state=state, private=private)

    async def arrive(self, arrival: Arrival, callback: str, now: float) -> Identity:
        idp = await self._idp(now)
        request = arrival.private.get("request", "")
        if not request or arrival.private.get("idp") != idp.entity_id:
            raise self._refused("nothing is kept of this sign-in")
        asked = Asked(
            issuer=idp.entity_id,
            entity_id=self._entity_id(callback),
            acs=callback,
            request=request,
            now=now,
        )
        try:
            found = await asyncio.to_thread(
                self._proved, idp, arrival.form.get("SAMLResponse", ""), asked
            )
            identity = self._identity(idp, found)
        except AnswerError as error:
            raise self._refused(str(error)) from error
        if ANEW in arrival.private:
            self._anew(found.proved, float(arrival.private[ANEW]))
        if not await self._once(idp.entity_id, found.id, found.expires):
            raise self._refused("it was used before")
        return identity

    def _anew(self, proved: float | None, since: float) -> None:
        """Raises SignInError unless he has proved who he is since then (Core, 3.4.1)."""
        if proved is None or proved < since - SKEW:
            text = filled(NOT_AGAIN, provider=self.label)
            raise SignInError(text, "AuthnInstant is older than the request, which says ForceAuthn")

    def description(self, callback: str) -> bytes:
        """Our metadata, for the administrator of the provider. `callback`: our ACS."""
        ours = OneLogin_Saml2_Settings(
            {"strict": True, "sp": self._ours(callback), "security": _SECURITY},
            sp_validation_only=True,
        )
        text: bytes | str = ours.get_sp_metadata()
        return text if isinstance(text, bytes) else text.encode()

    async def _idp(self, now: float) -> IdentityProvider:
        async with self._turn:
            if self._known is None or not 0 <= now - self._known[0] < LIFETIME:
                self._known = (now, await self._described(now))
            return self._known[1]

    async def _described(self, now: float) -> IdentityProvider:
        """Raises SignInError, for a few seconds without asking again."""
        if self._failed is not None and now - self._failed[0] < REST:
            raise UnaskedError(self.label, self._failed[1])
        try:
            document = await self._metadata()
            return identity_provider(document, self._provider.idp, self._provider.pins)
        except (FetchError, SamlMetadataError) as error:
            self._failed = (now, str(error))
            raise UnaskedError(self.label, str(error)) from error

    async def _metadata(self) -> str:
        provider = self._provider
        if provider.metadata is not None:
            return provider.metadata
        url = provider.metadata_url or ""
        fetched = await self._fetch.get(url, named=(url,), limit=MAX_METADATA)
        if fetched.status != 200:
            raise FetchError(f"its metadata answers with HTTP {fetched.status}")
        return fetched.body.decode(errors="replace")

    def _request(
        self, idp: IdentityProvider, state: str, callback: str, *, anew: bool
    ) -> tuple[str, str]:
        """(URL, id) of a signed request."""
        auth = OneLogin_Saml2_Auth(_seen_at(callback), self._settings(idp, callback))
        url = auth.login(return_to=state, force_authn=anew)
        return str(url), str(auth.get_last_request_id())

    def _proved(self, idp: IdentityProvider, text: str, asked: Asked) -> Said:
        """Raises AnswerError, whatever the text is."""
        raw = decoded(text)
        assertion = shaped(raw)
        # Said before the signature is looked at, only to know why: it is read again below.
        said(assertion.getparent(), assertion, asked)
        try:
            settings = OneLogin_Saml2_Settings(self._settings(idp, asked.acs))
            response = OneLogin_Saml2_Response(settings, b64encode(raw).decode())
            if not response.is_valid(_seen_at(asked.acs), asked.request):
                raise AnswerError("its signature or structure is not valid")
        except (OneLogin_Saml2_Error, etree.LxmlError, ValueError, TypeError) as error:
            raise AnswerError("it cannot be read") from error
        # Read from the very document whose signature was checked.
        [assertion] = response.document.iterchildren("{*}Assertion")
        return said(response.document, assertion, asked)

    def _settings(self, idp: IdentityProvider, callback: str) -> dict[str, Any]:
        return {
            "strict": True,
            "debug": False,
            "sp": self._ours(callback),
            "idp": {
                "entityId": idp.entity_id,
                "singleSignOnService": {"url": idp.sign_in},
                "x509certMulti": {"signing": list(idp.certificates)},
            },
            "security": _SECURITY,
        }

    def _ours(self, callback: str) -> dict[str, Any]:
        return {
            "entityId": self._entity_id(callback),
            "assertionConsumerService": {"url": callback, "binding": _POST},
            "NameIDFormat": _UNSPECIFIED,
            "x509cert": self._certificate,
            "privateKey": self._key,
        }

    def _entity_id(self, callback: str) -> str:
        parts = urlsplit(callback)
        ours = f"{parts.scheme}://{parts.netloc}/saml/{self.name}/metadata"
        return self._provider.entity_id or ours

    def _identity(self, idp: IdentityProvider, found: Said) -> Identity:
        provider = self._provider
        subject = self._subject(found)
        if provider.email_attributes:
            email = _only(found.attributes, provider.email_attributes)
        else:
            email = found.name_id
        groups = [
            value for name in provider.groups_attributes for value in found.attributes.get(name, ())
        ]
        return Identity(
            provider=self.name,
            issuer=idp.entity_id,
            subject=subject,
            email=address(email),
            name=_printable(_only(found.attributes, provider.name_attributes) or ""),
            groups=tuple(dict.fromkeys(groups)),
            session=found.session,
            proved=found.proved,
        )

    def _subject(self, found: Said) -> str:
        names = self._provider.subject_attributes
        subject = _only(found.attributes, names) if names else found.name_id
        if not names and found.format == TRANSIENT:
            raise AnswerError("its NameID is another each time: configure subject_attribute")
        if not subject or len(subject) > 1024:
            raise AnswerError("it names nobody")
        return subject

    def _refused(self, detail: str) -> SignInError:
        text = marked("the answer of {provider} proves nothing: sign in again")
        return SignInError(filled(text, provider=self.label), f"response: {detail}")


def _only(attributes: Mapping[str, tuple[str, ...]], names: tuple[str, ...]) -> str | None:
    """The value of the first attribute that is there; several values say nothing."""
    for name in names:
        values = attributes.get(name, ())
        if values:
            return values[0] if len(values) == 1 else None
    return None


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).strip()[:200]


def _seen_at(url: str) -> dict[str, Any]:
    """The request as the library wants to see it: at our address, whatever a proxy did."""
    parts = urlsplit(url)
    return {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
        "get_data": {},
        "post_data": {},
    }
