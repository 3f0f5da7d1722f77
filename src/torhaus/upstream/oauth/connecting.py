"""Sends a person to a server's authorization server, and takes what he brings back."""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

import msgspec

from torhaus.identity.oauth.pkce import challenge as pkce_challenge
from torhaus.mcp.message import request_text
from torhaus.mcp.versions import LATEST_LEGACY
from torhaus.model.connecting import Connected, Journey
from torhaus.model.ports import StateError, UpstreamError
from torhaus.model.servers import HttpAddress, OAuthAccess, Server
from torhaus.model.texts import filled, marked
from torhaus.model.vault import Content, Held, VaultKind
from torhaus.upstream.exchange import Reply
from torhaus.upstream.facts import initialize_text
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.httplink import HttpLink
from torhaus.upstream.oauth.client import Client, renewed
from torhaus.upstream.oauth.discovery import Known, OAuthError, discover, named
from torhaus.upstream.oauth.dpop import Key
from torhaus.upstream.oauth.enterprise import Means
from torhaus.upstream.oauth.registration import given, register
from torhaus.upstream.oauth.tokens import Endpoint, Rejected
from torhaus.upstream.oauth.wellknown import Authority, Challenge, challenge
from torhaus.upstream.plainhttp import PlainHttp
from torhaus.upstream.replies import FOREIGN, session_of

PATIENCE = 10.0
_ID = b'"torhaus-connect"'
OFFLINE = "offline_access"
CERTAIN = 600.0
"""Seconds for which a registration is believed: who keeps none is not flooded with them."""


class Connecting:
    """The port `torhaus.model.connecting.Connecting`. `secret()`: fresh random text.

    `document`: the URL of Torhaus's own client document; empty where nobody outside can read it.
    """

    def __init__(
        self, means: Means, secret: Callable[[], str], document: Callable[[], str]
    ) -> None:
        self._means = means
        self._secret = secret
        self._document = document

    async def depart(self, server: Server, scope: str, callback: str) -> Journey:
        address, oauth = _oauth(server)
        fetch = self._means.fetch()
        said = await self._challenge(server, address)
        known = await discover(fetch, address.url, oauth, said)
        scopes, key = _scopes(oauth, known, scope), known.key(oauth)
        client = await self._client(server, known, callback, scopes)
        verifier, state = self._secret(), self._secret()
        resource = oauth.resource or known.resource.resource
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": callback,
            "state": state,
            "code_challenge": pkce_challenge(verifier),
            "code_challenge_method": "S256",
            "resource": resource,
            "scope": scopes,
            "audience": oauth.audience,
            "dpop_jkt": "" if key is None else key.thumbprint,
            **({"prompt": "consent"} if OFFLINE in scopes.split() else {}),
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        where = known.authority.authorization
        return Journey(
            url=f"{where}{'&' if urlsplit(where).query else '?'}{query}",
            state=state,
            private={
                "verifier": verifier,
                "state": state,
                "issuer": known.authority.issuer,
                "iss": "required" if known.authority.iss else "",
                "token": known.authority.token,
                "client": client.id,
                "secret": client.secret if client.id != oauth.client_id else "",
                "method": client.method,
                "resource": resource,
                "scope": scopes,
                "callback": callback,
                "key": "" if key is None else key.text,
            },
        )

    async def arrive(
        self, server: Server, private: Mapping[str, str], query: Mapping[str, str]
    ) -> Connected:
        address, oauth = _oauth(server)
        if not hmac.compare_digest(query.get("state", "").encode(), private["state"].encode()):
            raise OAuthError(marked("the answer does not belong to this browser: begin anew"))
        self._from_him(private, query)
        if "error" in query:
            raise OAuthError(
                marked("the authorization server did not agree: begin anew, and allow it")
            )
        code = query.get("code", "")
        if not code:
            raise OAuthError(marked("the authorization server sent no code: begin anew"))
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": private["callback"],
            "code_verifier": private["verifier"],
            "resource": private["resource"],
        }
        found = await self._endpoint(address.url, oauth, private).ask(form)
        content = Content(
            value=found.access,
            refresh=found.refresh,
            scope=found.scope or private["scope"],
            client_id=private["client"],
            client_secret=private["secret"],
            method=private["method"],
            token_endpoint=private["token"],
            resource=private["resource"],
            proof_key=private.get("key", ""),
        )
        return Connected(content=content, issuer=private["issuer"], expires=found.expires)

    def _from_him(self, private: Mapping[str, str], query: Mapping[str, str]) -> None:
        """RFC 9207: compared as they are, before anything else of the answer is believed."""
        said = query.get("iss")
        if said is None and private["iss"]:
            raise OAuthError(
                marked("the answer does not say which authorization server it is from")
            )
        if said is not None and said != private["issuer"]:
            raise OAuthError(marked("the answer is from another authorization server"))

    def _endpoint(self, url: str, oauth: OAuthAccess, private: Mapping[str, str]) -> Endpoint:
        means = self._means
        return Endpoint(
            fetch=means.fetch(),
            url=private["token"],
            issuer=private["issuer"],
            client=renewed(oauth, private["client"], private["method"], private["secret"]),
            clock=means.clock,
            ids=means.ids,
            named=named(url, oauth),
            key=Key.read(private["key"]) if private.get("key") else None,
            nonces=means.nonces,
        )

    async def _challenge(self, server: Server, address: HttpAddress) -> Challenge:
        """What the server says to somebody without a token, whichever transport it has."""
        reply = await self._posted(server, address)
        said = reply.headers.get(b"www-authenticate", b"").decode("latin-1")
        if reply.status in FOREIGN and address.transport != "http":
            said = await _streamed(server, address)
        return challenge(said)

    async def _posted(self, server: Server, address: HttpAddress) -> Reply:
        bare = msgspec.structs.replace(address, oauth=None, headers=address.headers)
        link = HttpLink(server, bare, self._means.ids)
        try:
            reply = await _asked(link, initialize_text(_ID, b"{}", b"", LATEST_LEGACY), None)
            if reply.status != 401:  # some let everybody say hello
                reply = await _asked(
                    link, request_text(_ID, "tools/list", b"{}"), session_of(reply)
                )
        except UpstreamError as error:
            text = marked("{host} cannot be reached: {error}")
            raise OAuthError(filled(text, host=server.name, error=str(error))) from error
        finally:
            await link.shutdown()
        return reply

    async def _client(self, server: Server, known: Known, callback: str, scopes: str) -> Client:
        address, oauth = _oauth(server)
        authority, trusted = known.authority, named(address.url, oauth)
        found = given(oauth, authority, self._document())
        if found is not None:
            return found
        try:
            kept = await self._kept(server.name, authority, callback)
            if kept is not None and await self._known(kept, authority, callback, trusted):
                return client_of(kept)
            client = await register(
                self._means.fetch(),
                authority,
                callback,
                scopes,
                trusted,
                bound=known.bound(oauth),
            )
            content = Content(
                client_id=client.id,
                client_secret=client.secret,
                method=client.method,
                redirect=callback,
            )
            await self._means.wallet.register(server.name, authority.issuer, content)
        except StateError as error:
            raise OAuthError(str(error)) from error
        return client

    async def _known(
        self, held: Held, authority: Authority, callback: str, trusted: tuple[str, ...]
    ) -> bool:
        """Whether it still knows us there: else it shows people an error, and sends nobody back.

        Only the token endpoint says so, to whoever asks for something that he cannot have.
        """
        if self._means.clock() < held.kept.created + CERTAIN:
            return True
        form = {
            "grant_type": "authorization_code",
            "code": self._secret(),
            "redirect_uri": callback,
            "code_verifier": self._secret(),
        }
        means = self._means
        endpoint = Endpoint(
            fetch=means.fetch(),
            url=authority.token,
            issuer=authority.issuer,
            client=client_of(held),
            clock=means.clock,
            ids=means.ids,
            named=trusted,
        )
        try:
            await endpoint.ask(form)
        except Rejected as error:
            return error.code != "invalid_client"
        except OAuthError:
            return True  # who does not answer has not forgotten
        return True

    async def _kept(self, server: str, authority: Authority, callback: str) -> Held | None:
        """How Torhaus is registered there already."""
        for held in await self._means.wallet.look(server, ""):
            kept, content = held.kept, held.content
            ours = kept.kind is VaultKind.OAUTH_CLIENT and kept.issuer == authority.issuer
            if ours and content.redirect == callback:
                return held
        return None


def client_of(held: Held) -> Client:
    content = held.content
    return Client(id=content.client_id, method=content.method, secret=content.client_secret)


async def _asked(link: HttpLink, body: bytes, session: str | None) -> Reply:
    version = None if session is None else LATEST_LEGACY
    data = link.requests.legacy(body, version, session)
    return await link.send(data, _ID, None, PATIENCE, safe=True)


async def _streamed(server: Server, address: HttpAddress) -> str:
    """The challenge of a server that answers GET alone (HTTP+SSE); empty where it has none."""
    headers = tuple((name, value.reveal()) for name, value in address.headers)
    http = PlainHttp(
        address.url,
        connect_timeout=server.connect_timeout,
        timeout=PATIENCE,
        ca_file=address.ca_file,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            stream = await http.stream(address.url, headers, _nothing, _nothing)
            await stream.close()
    except DeniedError as error:
        return error.challenge
    except (UpstreamError, TimeoutError):
        return ""
    finally:
        http.close()
    return ""


def _nothing(_: object) -> None:
    """Nobody listens."""


def _oauth(server: Server) -> tuple[HttpAddress, OAuthAccess]:
    address = server.address
    if not isinstance(address, HttpAddress) or address.oauth is None:
        text = marked("nobody connects an account to {server}: its file says so")
        raise OAuthError(filled(text, server=server.name))
    return address, address.oauth


def _scopes(oauth: OAuthAccess, known: Known, more: str) -> str:
    """What is asked for: as the file says, else what the server named, and what it asked anew."""
    found = [*(oauth.scopes or known.scopes), *more.split()]
    if OFFLINE in known.authority.scopes and not oauth.scopes:
        found.append(OFFLINE)  # or there is nothing to refresh with
    return " ".join(dict.fromkeys(found))
