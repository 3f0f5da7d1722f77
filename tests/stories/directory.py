"""A company's identity provider that pushes people over SCIM."""

import http.client
import json
from typing import Any, Self

from tests.stories.town import KEYS

TOKEN = "scim-token-6b1f0a8c93d24e57a0b1c2d3e4f50617"
SOURCE = {
    "name": "okta",
    "token": TOKEN,
    "groups": {"Admins": "admin", "Readers": {"roles": ["reader"], "groups": ["readers"]}},
}
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Reply:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.json: Any = json.loads(body) if body else None


class Directory:
    """Asks a gateway over one connection. `token` None: shows nothing."""

    def __init__(self, port: int, token: str | None = TOKEN) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"content-type": "application/scim+json"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        data = None if body is None else json.dumps(body)
        self._connection.request(method, f"/scim/v2/{path}", data, self._headers)
        found = self._connection.getresponse()
        headers = {name.lower(): value for name, value in found.getheaders()}
        return Reply(found.status, headers, found.read())

    def user(self, email: str, **more: Any) -> str:
        """Push somebody; returns his id."""
        body = {"schemas": [CORE + "User"], "userName": email, "active": True, **more}
        made = self.ask("POST", "Users", body)
        assert made.status == 201, made.json
        return str(made.json["id"])

    def group(self, name: str, *members: str, **more: Any) -> str:
        body = {
            "schemas": [CORE + "Group"],
            "displayName": name,
            "members": [{"value": each} for each in members],
            **more,
        }
        made = self.ask("POST", "Groups", body)
        assert made.status == 201, made.json
        return str(made.json["id"])

    def patch(self, path: str, *operations: Any) -> Reply:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


def asked(port: int, method: str, path: str, body: Any = None) -> Any:
    """What the API answers an administrator."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {KEYS['ALICE_KEY']}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body)
    connection.request(method, f"/api/v1/{path}", data, headers)
    found = connection.getresponse()
    said = json.loads(found.read())
    connection.close()
    assert found.status < 300, said
    return said


def minted(port: int, person: str) -> str:
    """A key for somebody, made by an administrator."""
    return str(asked(port, "POST", "keys", {"person": person, "label": "laptop"})["key"])
