"""An identity provider on loopback: it signs in whom it is told to, and says who has signed out."""

import http.client
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from tests.clients.browsing import Browser, Page
from tests.torhaus.identity.tokens import Signer
from torhaus.identity.oauth.idjag import TYPE
from torhaus.identity.oidc import LOGOUT

CLIENT = "torhaus"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Idp:
    """OpenID Connect. `number`: of the next message."""

    signer: Signer = field(default_factory=Signer)
    number: int = 0
    _codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    _person: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        idp = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.startswith("/auth?"):
                    return self.told(idp.said(self.path))
                self.send_response(302)
                self.send_header("location", idp.sent_back(self.path))
                self.send_header("content-length", "0")
                self.end_headers()
                return None

            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["content-length"])).decode()
                if self.path != "/token":
                    return self.told({}, 401)
                return self.told(idp.redeemed(parse_qs(sent)["code"][0]))

            def told(self, document: dict[str, Any], status: int = 200) -> None:
                body = msgspec.json.encode(document)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """It says nothing of its own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def server(self) -> str:
        """One at which people have accounts that are opened here."""
        return f"{self.issuer}/mcp"

    def config(self, **more: Any) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": "of-no-use-here",
            **more,
        }

    # -- what people and companies do ----------------------------------------------------------

    def sign_in(self, port: int, email: str, *groups: str) -> Page:
        """Somebody signs in in a new browser; where he ends up."""
        self._person = {"sub": email, "email": email, "groups": list(groups)}
        return Browser().open(f"http://127.0.0.1:{port}/login/oidc")

    def sign_out(self, port: int, **who: str) -> None:
        """Tell the gateway that a session (`sid`) or all of somebody (`sub`) is over."""
        said = {**self._token(), "events": {LOGOUT: {}}, **who}
        body = urlencode({"logout_token": self.signer.sign(said, typ="logout+jwt")})
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            line.request("POST", "/backchannel-logout/oidc", body, FORM)
            answer = line.getresponse()
            assert answer.status == 200, answer.read()

    def assertion(self, origin: str, client: str, email: str) -> str:
        """That this client may act for somebody at a server of the gateway (ID-JAG)."""
        said = {**self._token(), "aud": origin, "sub": email, "client_id": client, "scope": "mcp"}
        return self.signer.sign({**said, "resource": f"{origin}/mcp/scripted"}, typ=TYPE)

    def _token(self) -> dict[str, Any]:
        self.number += 1
        now, number = time.time(), f"j{self.number}"
        return {"iss": self.issuer, "aud": CLIENT, "iat": now - 1, "exp": now + 60, "jti": number}

    # -- what it answers -----------------------------------------------------------------------

    def said(self, path: str) -> dict[str, Any]:
        if path == "/keys":
            return {"keys": [self.signer.public()]}
        if path.startswith("/.well-known/oauth-protected-resource"):
            return {"resource": self.server, "authorization_servers": [self.issuer]}
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
        }

    def sent_back(self, target: str) -> str:
        """Nobody is asked for a password: whoever comes is the person told of last."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(target).query).items()}
        said = {**self._token(), "nonce": asked["nonce"], "email_verified": True, **self._person}
        self._codes[f"c{self.number}"] = said
        told = {"code": f"c{self.number}", "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(told)}"

    def redeemed(self, code: str) -> dict[str, Any]:
        token = self.signer.sign(self._codes.pop(code))
        return {"id_token": token, "access_token": "none", "token_type": "Bearer"}
