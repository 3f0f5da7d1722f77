import threading
from base64 import b64decode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest

from tests.torhaus.store.audit.s3 import S3
from torhaus.model.keeping import Bucket
from torhaus.model.publishing import PublishError
from torhaus.model.secret import Secret
from torhaus.store.audit.publish.bucket import BucketKeeper

LINE = b'{"entry":{"number":7}}\n'


def test_every_head_is_an_object_of_its_own(s3: S3):
    bucket = s3.bucket()
    one = BucketKeeper(bucket)

    one.put(7, LINE)
    one.put(7, LINE)
    one.put(7, LINE.replace(b"7", b"8"))
    one.close()

    keys = s3.keys(bucket)
    assert len(keys) == 2
    assert one.key(7, LINE) in keys
    assert one.key(7, LINE).startswith("team/heads/0000000007-")
    found = s3.boto.get_object(Bucket=bucket.name, Key=one.key(7, LINE))
    assert found["Body"].read() == LINE
    assert found["ContentType"] == "application/json"


def test_the_request_has_the_checksum_without_which_amazon_locks_nothing():
    """Either Content-MD5 or x-amz-checksum-*; moto knows the first alone."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            got.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("etag", '"1"')
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    bucket = Bucket(
        name="heads",
        endpoint=f"http://127.0.0.1:{server.server_address[1]}",
        access_key_id=Secret("key"),
        secret_access_key=Secret("secret"),
        plaintext=True,
    )
    try:
        BucketKeeper(bucket).put(7, LINE)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

    (headers,) = got
    assert b64decode(headers["x-amz-checksum-sha256"]) == sha256(LINE).digest()
    assert headers["if-none-match"] == "*"
    assert "x-amz-checksum-sha256" in headers["authorization"]


def test_a_bucket_that_is_not_there_is_a_sentence(s3: S3):
    gone = msgspec.structs.replace(s3.bucket(), name="nowhere")

    with pytest.raises(PublishError, match="no such bucket"):
        BucketKeeper(gone).put(7, LINE)


def test_one_that_does_not_answer_is_a_sentence_without_keys(s3: S3):
    away = msgspec.structs.replace(
        s3.bucket(), endpoint="https://127.0.0.1:1", secret_access_key=Secret("s3cret")
    )

    with pytest.raises(PublishError, match="does not answer") as caught:
        BucketKeeper(away).put(7, LINE)

    assert "s3cret" not in str(caught.value)
