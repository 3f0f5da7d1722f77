"""As much of a Vault as answers for KV version 2; no real one can be had here."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "canary-vault-token"
SECRETS = {"secret/data/mcp/github": {"token": "canary-github", "number": 5}}
# As OpenBao answers for a version that was deleted (builtin/logical/kv/path_data.go).
DELETED = {
    "data": None,
    "metadata": {"version": 3, "deletion_time": "2026-11-01T08:00:00Z", "destroyed": False},
}


@contextmanager
def vault(namespace: str = "", *, sealed: bool = False) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = self._found()
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _found(self) -> tuple[int, object]:
            if sealed:
                return 503, {"errors": ["Vault is sealed"]}
            if self.headers.get("x-vault-token") != TOKEN:
                return 403, {"errors": ["permission denied", "canary-error"]}
            if self.headers.get("x-vault-namespace", "") != namespace:
                return 404, {"errors": []}
            if self.path == "/v1/secret/data/mcp/deleted":
                return 404, {"data": DELETED}
            if self.path == "/v1/secret/data/mcp/standby":
                return 307, {}
            found = SECRETS.get(self.path.removeprefix("/v1/"))
            if found is None:
                return 404, {"errors": []}
            return 200, {"data": {"data": found, "metadata": {"version": 3}}}

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
