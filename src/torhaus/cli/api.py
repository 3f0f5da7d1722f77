"""The running gateway's HTTP API, for commands that administer it."""

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from torhaus import __version__
from torhaus.cli.client import GatewayError, address, said
from torhaus.cli.output import refuse

PATIENCE = 30.0
MAX_ANSWER = 8 * 1024 * 1024

Url = Annotated[
    str, typer.Option(envvar="TORHAUS_URL", show_envvar=False, metavar="URL", help="The gateway.")
]
Key = Annotated[
    str | None,
    typer.Option(
        envvar="TORHAUS_KEY",
        show_envvar=False,
        metavar="KEY",
        help="Best in the environment, as TORHAUS_KEY: other users can see arguments.",
    ),
]
Running = Annotated[
    str | None,
    typer.Option(
        envvar="TORHAUS_URL",
        show_envvar=False,
        metavar="URL",
        help="Ask this running gateway, not the files here.",
    ),
]
"""Of commands that can do without one, see `gateway`."""
LOCAL = "http://127.0.0.1:8080"


class Api:
    """`url`: the gateway's. Every method raises GatewayError, also for what is refused."""

    def __init__(self, url: str, key: str | None, patience: float = PATIENCE) -> None:
        parts = address(url)
        if key is not None and not (key.isascii() and key.isprintable()):
            raise GatewayError("the key holds a line break or letters that no key has")
        self._url = url.rstrip("/")
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = parts.scheme == "https"
        self._path = f"{parts.path.rstrip('/')}/api/v1"
        self._key = key
        self._patience = patience

    def get(self, *path: str, **query: str | int | None) -> Any:
        """`path`: its parts, which are escaped."""
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return self._ask("GET", path, f"?{asked}" if asked else "")

    def post(self, *path: str, body: dict[str, Any] | None = None) -> Any:
        return self._ask("POST", path, body={} if body is None else body)

    def patch(self, *path: str, body: dict[str, Any]) -> Any:
        return self._ask("PATCH", path, body=body)

    def delete(self, *path: str, query: Mapping[str, str] | None = None) -> Any:
        asked = urlencode(query or {})
        return self._ask("DELETE", path, f"?{asked}" if asked else "")

    def _ask(self, method: str, path: tuple[str, ...], query: str = "", body: Any = None) -> Any:
        target = "/".join([self._path, *(quote(part, safe="") for part in path)]) + query
        data = None if body is None else json.dumps(body).encode()
        connection = self._connection()
        try:
            connection.request(method, target, data, self._headers(data))
            response = connection.getresponse()
            return self._read(response.status, response.read(MAX_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            raise GatewayError(f"nothing answers at {self._url}: {said(error)}") from error
        finally:
            connection.close()

    def _read(self, status: int, data: bytes) -> Any:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if 200 <= status < 300 and found is not None:
            return found
        detail = found.get("detail") if isinstance(found, dict) else None
        if not isinstance(detail, str):
            raise GatewayError(f"{self._url} answered HTTP {status}, but not as a Torhaus does")
        if status == 401:
            raise GatewayError(f"{detail} (set TORHAUS_KEY)")
        fix = found.get("fix") if isinstance(found, dict) else None
        raise GatewayError(f"{detail}: {fix}" if isinstance(fix, str) else detail)

    def _connection(self) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._patience)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._patience, context=context
        )

    def _headers(self, data: bytes | None) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": f"torhaus/{__version__}"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        return headers


def gateway(context: typer.Context, url: str | None, *files: str) -> str | None:
    """The gateway that a command asks; None where it looks at files here.

    What is typed goes before what is in the environment. `files`: options that name files here.
    """
    typed = any(_given(context, each) == "COMMANDLINE" for each in files)
    return None if typed and _given(context, "url") == "ENVIRONMENT" else url


def _given(context: typer.Context, option: str) -> str:
    """Where an option comes from, in click's words."""
    source = context.get_parameter_source(option)
    return "" if source is None else source.name


def asked(
    ask: Callable[[Api], Any], url: str, key: str | None, *, patience: float = PATIENCE
) -> Any:
    """What the API answers; or its sentence on standard error, and exit code 1."""
    try:
        return ask(Api(url, key or None, patience))
    except GatewayError as error:
        refuse(str(error))
