from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.test_shelves import NAME, TEXT, source, written
from torhaus.model.keeping import Bucket, Tier
from torhaus.model.secret import Secret
from torhaus.store.audit.tiers.bucket import BucketShelf, store_of
from torhaus.store.audit.tiers.shelves import FrozenError, ShelfError


def test_an_object_has_its_tiers_name_class_and_digest(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    shelf = BucketShelf(bucket, Tier.WARM)

    shelf.put(source(tmp_path), written())

    key = f"team/warm/{NAME}"
    head = s3.boto.head_object(Bucket=bucket.name, Key=key)
    assert s3.keys(bucket) == [key]
    assert shelf.key(NAME) == key
    assert list(shelf.names()) == [NAME]
    assert head["StorageClass"] == "STANDARD_IA"
    assert head["Metadata"] == {"sha256": written().sha256}
    shelf.check(written())


def test_it_can_be_put_again_and_is_one_object(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    shelf = BucketShelf(bucket, Tier.WARM)
    shelf.put(source(tmp_path), written())
    before = s3.boto.head_object(Bucket=bucket.name, Key=shelf.key(NAME))["LastModified"]

    shelf.put(source(tmp_path), written())

    assert s3.boto.head_object(Bucket=bucket.name, Key=shelf.key(NAME))["LastModified"] == before


@pytest.mark.parametrize("body", [b"something else", TEXT.lower(), b""])
def test_another_object_of_that_name_is_noticed_and_never_replaced(
    s3: S3, tmp_path: Path, body: bytes
) -> None:
    bucket = s3.bucket()
    shelf = BucketShelf(bucket, Tier.WARM)
    shelf.put(source(tmp_path), written())
    s3.spoil(bucket, shelf.key(NAME), body)

    with pytest.raises(ShelfError, match="is another file"):
        shelf.put(source(tmp_path), written())
    with pytest.raises(ShelfError, match="not what the journal says"):
        shelf.fetch(written(), tmp_path / "copy")

    found = s3.boto.get_object(Bucket=bucket.name, Key=shelf.key(NAME))["Body"].read()
    assert found == body
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_what_is_fetched_is_whole(s3: S3, tmp_path: Path) -> None:
    shelf = BucketShelf(s3.bucket(), Tier.WARM)
    text = bytes(range(256)) * 16_000
    shelf.put(source(tmp_path, text), written(text))

    shelf.fetch(written(text), tmp_path / "below" / "copy")

    assert (tmp_path / "below" / "copy").read_bytes() == text
    assert (tmp_path / "below" / "copy").stat().st_mode & 0o777 == 0o600


def test_what_is_in_glacier_is_refused_until_it_is_restored(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    shelf = BucketShelf(bucket, Tier.COLD)
    shelf.put(source(tmp_path), written())
    shelf.put(source(tmp_path), written())

    with pytest.raises(FrozenError, match="it is in GLACIER storage: restore it first"):
        shelf.fetch(written(), tmp_path / "copy")
    s3.boto.restore_object(Bucket=bucket.name, Key=shelf.key(NAME), RestoreRequest={"Days": 1})
    shelf.fetch(written(), tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == TEXT


def test_a_frozen_object_with_another_digest_is_noticed(s3: S3, tmp_path: Path) -> None:
    shelf = BucketShelf(s3.bucket(), Tier.COLD)
    shelf.put(source(tmp_path, TEXT.lower()), written(TEXT.lower()))

    with pytest.raises(ShelfError, match="is another file"):
        shelf.put(source(tmp_path), written())


def test_removing_is_final_and_can_be_done_twice(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    shelf = BucketShelf(bucket, Tier.WARM)
    shelf.put(source(tmp_path), written())

    shelf.remove(NAME)
    shelf.remove(NAME)

    assert s3.keys(bucket) == []
    with pytest.raises(ShelfError, match="not in the bucket"):
        shelf.check(written())


def test_an_unknown_bucket_is_told(s3: S3, tmp_path: Path) -> None:
    shelf = BucketShelf(s3.named("nobody-has-this"), Tier.WARM)

    for act in (
        lambda: shelf.put(source(tmp_path), written()),
        lambda: shelf.remove(NAME),
        lambda: list(shelf.names()),
    ):
        with pytest.raises(ShelfError, match="does not exist at http://127"):
            act()


def test_a_bucket_that_does_not_answer_is_told_without_its_keys(tmp_path: Path) -> None:
    bucket = Bucket(
        name="audit",
        endpoint="http://127.0.0.1:9",
        access_key_id=Secret("AKIAEXAMPLE"),
        secret_access_key=Secret("very-secret"),
        plaintext=True,
    )

    with pytest.raises(ShelfError, match="the bucket audit does not answer") as raised:
        BucketShelf(bucket, Tier.WARM).put(source(tmp_path), written())

    assert "AKIA" not in str(raised.value)
    assert "very-secret" not in str(raised.value)


def test_http_is_refused_where_it_is_not_allowed(s3: S3, tmp_path: Path) -> None:
    shelf = BucketShelf(s3.bucket(plaintext=False), Tier.WARM)

    with pytest.raises(ShelfError, match="does not answer"):
        shelf.put(source(tmp_path), written())


def test_names_that_lead_elsewhere_never_become_keys(s3: S3) -> None:
    shelf = BucketShelf(s3.bucket(), Tier.WARM)

    with pytest.raises(ShelfError, match="no day file's name"):
        shelf.remove("../cold/x")


def test_a_client_shows_no_keys(s3: S3) -> None:
    assert "secret" not in repr(store_of(s3.named("audit")))
