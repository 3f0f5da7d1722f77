"""`/register`: a client tells its name and where it may be answered (RFC 7591)."""

from hashlib import sha256
from math import ceil

from starlette.requests import Request
from starlette.responses import Response

from torhaus.admin.acts import Refusal
from torhaus.admin.oauth.acts import STRANGER, RegisterClient
from torhaus.identity.oauth.metadata import MetadataError, registration, response
from torhaus.identity.oauth.redirects import PRIVATE
from torhaus.model.oauth import Client
from torhaus.web.oauth.pace import Pace
from torhaus.web.oauth.replies import body, error, ip, told
from torhaus.web.oauth.shared import OAuth

MOST = 10_000
"""Registrations there may be."""


class RegisterEndpoint:
    def __init__(self, oauth: OAuth, most: int = MOST) -> None:
        self._oauth = oauth
        self._most = most
        self._pace = Pace()

    async def page(self, request: Request) -> Response:
        oauth, server = self._oauth, self._oauth.server()
        if not server.enabled or not server.registration:
            return error("invalid_request", "clients do not register here", 404)
        wait = self._pace.wait(ip(request), server.rate, oauth.clock())
        if wait > 0:
            seconds = str(ceil(wait))
            text = f"too many registrations from this address: try again in {seconds} s"
            return error("temporarily_unavailable", text, 429, retry_after=seconds)
        raw = await body(request)
        if raw is None:
            return error("invalid_client_metadata", "this is larger than 64 kB", 413)
        try:
            wanted = registration(raw, PRIVATE | server.programs)
        except MetadataError as wrong:
            return error(wrong.code, str(wrong))
        secret = None if wanted.method == "none" else "tcs_" + oauth.random(32).hex()
        client = Client(
            id="dcr_" + oauth.random(16).hex(),
            kind="registered",
            name=wanted.name,
            redirect_uris=wanted.redirect_uris,
            method=wanted.method,
            secret=None if secret is None else sha256(secret.encode()).digest(),
            ip=ip(request),
        )
        done = await oauth.admin.perform(STRANGER, RegisterClient(client, self._most), ip(request))
        if isinstance(done, Refusal):
            return error(done.code, done.reason, 503, retry_after="3600")
        return told(response(done.result, wanted, secret), 201)
