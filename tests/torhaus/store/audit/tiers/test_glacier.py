from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.test_shelves import NAME, source, written
from torhaus.model.keeping import Tier
from torhaus.store.audit.tiers.bucket import BucketShelf
from torhaus.store.audit.tiers.glacier import Glacier, available
from torhaus.store.audit.tiers.shelves import ShelfError


def test_an_object_is_asked_for_and_then_ready(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    shelf = BucketShelf(bucket, Tier.COLD)
    shelf.put(source(tmp_path), written())
    glacier = Glacier(bucket)
    key = shelf.key(NAME)

    before = glacier.state(key)
    glacier.ask(key, 3)
    glacier.ask(key, 3)
    after = glacier.state(key)  # the provider's own takes hours, this one takes no time

    assert (before, after) == ("frozen", "ready")


def test_what_is_not_there_cannot_be_asked_for(s3: S3) -> None:
    glacier = Glacier(s3.bucket())

    with pytest.raises(ShelfError, match=r"cannot restore: NoSuchKey"):
        glacier.ask("team/cold/x", 1)
    with pytest.raises(ShelfError, match=r"cannot restore: 404"):
        glacier.state("team/cold/x")


def test_a_bucket_that_does_not_answer_is_told(s3: S3) -> None:
    bucket = s3.named("audit", endpoint="http://127.0.0.1:9")

    with pytest.raises(ShelfError, match="cannot restore: EndpointConnectionError"):
        Glacier(bucket).state("x")


def test_the_library_is_there_in_tests() -> None:
    assert available()
