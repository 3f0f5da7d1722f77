"""Answers in the shapes of SCIM 2.0."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from torhaus.admin.acts import Refusal
from torhaus.admin.provisioning.users import STALE, TAKEN
from torhaus.audit.shape import timestamp
from torhaus.identity.scim.attributes import CORE, Document, Kind
from torhaus.identity.scim.problem import ScimError
from torhaus.model.provisioning import Provisioned

MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
MEDIA = "application/scim+json"
PLACES: Mapping[Kind, str] = {Kind.USER: "Users", Kind.GROUP: "Groups"}
TYPES: Mapping[Kind, str] = {Kind.USER: "User", Kind.GROUP: "Group"}
STATUS = {"not_found": 404, "not_allowed": 403, "invalid": 400, "conflict": 409, STALE: 409}
ALWAYS = frozenset(("schemas", "id"))


def said(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, dict(headers or {}), MEDIA)


def refused(refusal: Refusal) -> ScimError:
    if refusal.code == TAKEN:
        return ScimError(409, refusal.reason, "uniqueness")
    fix = f": {refusal.fix}" if refusal.fix else ""
    return ScimError(STATUS.get(refusal.code, 503), refusal.reason + fix)


def problem(error: ScimError, headers: Mapping[str, str] | None = None) -> Response:
    body = {
        "schemas": [f"{MESSAGES}Error"],
        "status": str(error.status),
        "detail": error.detail,
    }
    if error.kind:
        body["scimType"] = error.kind
    return said(error.status, body, headers)


def resource(row: Provisioned, base: str) -> Document:
    """A user or group, with what we say of it."""
    kind = Kind(row.kind)
    found: Document = msgspec.json.decode(row.document, type=dict[str, Any])
    where = location(kind, row.id, base)
    for member in found.get("members", []):
        member["$ref"] = location(Kind.USER, member["value"], base)
    meta = {
        "resourceType": TYPES[kind],
        "created": timestamp(row.created),
        "lastModified": timestamp(row.changed),
        "location": where,
    }
    return {"schemas": [CORE[kind]], "id": row.id, **found, "meta": meta}


def location(kind: Kind, id: str, base: str) -> str:
    return f"{base}/{PLACES[kind]}/{id}"


def only(found: Document, wanted: str | None, without: str | None) -> Document:
    """What `attributes` and `excludedAttributes` leave of it."""
    if wanted:
        names = {name.partition(".")[0] for name in _plain(wanted)}
        return {name: v for name, v in found.items() if name in ALWAYS or name.lower() in names}
    names = _plain(without or "")
    return {name: v for name, v in found.items() if name in ALWAYS or name.lower() not in names}


def _plain(names: str) -> set[str]:
    """Lower case, and without the schema that may stand before each."""
    found = {name.strip().lower() for name in names.split(",")}
    for core in CORE.values():
        found = {name.removeprefix(f"{core.lower()}:") for name in found}
    return found


def listed(found: Sequence[Any], total: int, start: int = 1) -> Document:
    return {
        "schemas": [f"{MESSAGES}ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(found),
        "Resources": list(found),
    }
