"""The files that pages load. Their address holds a digest of them, so they never change."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from torhaus.web.security import COMMON

FOLDER = Path(__file__).parent / "static"
KINDS = {".css": "text/css; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


class Static:
    """Read once. One digest for all, so that the style sheet finds its fonts beside itself."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = sorted(path for path in folder.iterdir() if path.suffix in KINDS)
        self._files: Mapping[str, tuple[bytes, str]] = {
            path.name: (path.read_bytes(), KINDS[path.suffix]) for path in found
        }
        whole = sha256()
        for name, (body, _) in self._files.items():
            whole.update(b"%d:%b%d:" % (len(name), name.encode(), len(body)) + body)
        self.version = whole.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Raises KeyError for a file that is not there."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    def serve(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None or request.path_params["version"] != self.version:
            return PlainTextResponse("not found", status_code=404, headers=COMMON)
        body, kind = found
        headers = {**COMMON, "cache-control": FOR_EVER}
        return Response(body, media_type=kind, headers=headers)
