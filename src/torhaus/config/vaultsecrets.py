"""`vault:MOUNT/PATH#FIELD`: a secret of HashiCorp Vault's or OpenBao's KV engine, version 2."""

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from torhaus.config.problems import FaultError
from torhaus.config.secretfields import field_of

SECONDS = 10.0
_MAX = 1024 * 1024
_SPELLING = "write vault:MOUNT/PATH#FIELD, such as vault:secret/mcp/github#token"
_REASONS = {
    307: ("is a standby that sends callers elsewhere", "let VAULT_ADDR name the active node"),
    403: ("does not let this token read it", "give the token's policy `read` on it"),
    404: ("has no such secret", "check namespace, mount and path; the engine must be KV version 2"),
    503: ("is sealed", "unseal it"),
}


def vault_secret(what: str, environ: Mapping[str, str], _base: Path) -> str:
    """Asks VAULT_ADDR with VAULT_TOKEN, or OpenBao's BAO_ADDR with BAO_TOKEN.

    Raises FaultError, without a word of the answer.
    """
    where, hash_, field = what.partition("#")
    mount, slash, path = where.strip("/").partition("/")
    path = path.removeprefix("data/")
    if not (hash_ and field and slash and mount and path) or ".." in path.split("/"):
        raise FaultError("the reference is not whole", _SPELLING)
    address = _told(environ, "ADDR")
    if not address:
        raise FaultError(
            "VAULT_ADDR is not set", "export VAULT_ADDR=https://vault.example.com:8200"
        )
    status, body = _asked(
        address, f"/v1/{quote(mount)}/data/{quote(path)}", _headers(environ), environ
    )
    if status != 200:
        raise _refused(status, body, f"{mount}/{path}")
    try:
        found = json.loads(body)["data"]["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        text = f"Vault's answer for {mount}/{path} holds no secret"
        raise FaultError(text, "the engine must be KV version 2") from None
    return field_of(found, field, f"{mount}/{path}")


def _refused(status: int, body: bytes, what: str) -> FaultError:
    if status == 404 and b'"deletion_time"' in body:  # KV answers so for a version that is no more
        text = f"Vault's newest version of {what} was deleted"
        return FaultError(text, "undelete it, or put a new one")
    reason, fix = _REASONS.get(status, (f"answers HTTP {status}", "see its log"))
    return FaultError(f"Vault {reason}: {what}", fix)


def _told(environ: Mapping[str, str], name: str) -> str:
    """OpenBao's own variable first, also where it is empty, as its client has it (api/env.go)."""
    own = environ.get(f"BAO_{name}")
    return environ.get(f"VAULT_{name}", "") if own is None else own


def _headers(environ: Mapping[str, str]) -> dict[str, str]:
    token = _told(environ, "TOKEN")
    if not token and (file := _told(environ, "TOKEN_FILE")):
        try:
            token = Path(file).read_text().strip()
        except (OSError, ValueError):
            text = "VAULT_TOKEN_FILE cannot be read"
            raise FaultError(text, "check the path and its rights") from None
    if not token or not token.isascii() or not token.isprintable():
        raise FaultError("VAULT_TOKEN is not set", "export VAULT_TOKEN or VAULT_TOKEN_FILE")
    namespace = _told(environ, "NAMESPACE")
    found = {"X-Vault-Token": token, "X-Vault-Request": "true", "Accept": "application/json"}
    return {**found, "X-Vault-Namespace": namespace} if namespace else found


def _connection(parts: SplitResult, environ: Mapping[str, str]) -> http.client.HTTPConnection:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FaultError("VAULT_ADDR is no http(s) URL", "write https://HOST:PORT")
    try:
        port = parts.port
        trust = ssl.create_default_context(cafile=_told(environ, "CACERT") or None)
    except (OSError, ValueError):
        raise FaultError("VAULT_CACERT or VAULT_ADDR cannot be used", "correct it") from None
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, port, timeout=SECONDS)
    return http.client.HTTPSConnection(parts.hostname, port, timeout=SECONDS, context=trust)


def _asked(
    address: str, path: str, headers: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = _connection(parts, environ)
    try:
        connection.request("GET", parts.path.rstrip("/") + path, headers=dict(headers))
        reply = connection.getresponse()
        return reply.status, reply.read(_MAX)
    except (OSError, http.client.HTTPException) as error:
        said = (isinstance(error, OSError) and os.strerror(error.errno or 0)) or "no answer"
        if not isinstance(error, OSError) or not error.errno:
            said = type(error).__name__
        text = f"Vault at {parts.netloc} cannot be reached: {said}"
        raise FaultError(text, "check VAULT_ADDR and the way there") from None
    finally:
        connection.close()
