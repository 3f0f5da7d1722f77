import hmac
from hashlib import sha256
from pathlib import Path

import pytest

from tests.torhaus.store.audit.logs import edited, head_line, write
from tests.torhaus.store.audit.sinks.servers import HttpReceiver, Said
from torhaus.model.keeping import Bucket
from torhaus.model.publishing import HeadBucket, HeadFile, HeadHook, PublishError
from torhaus.model.secret import Secret
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.keys import keys_directory, public_keys
from torhaus.store.audit.publish.keepers import FileKeeper, HookKeeper, keeper


def file_keeper(data: Path, path: Path) -> FileKeeper:
    return FileKeeper(path, data / "audit", public_keys(keys_directory(data / "audit")))


def test_a_file_is_replaced_by_every_new_head(tmp_path: Path):
    write(tmp_path, 3)
    path = tmp_path / "elsewhere.json"
    one = file_keeper(tmp_path, path)

    one.put(2, head_line(tmp_path))
    write(tmp_path, 3, start=10)
    line = head_line(tmp_path)
    one.put(4, line)

    assert path.read_bytes() == line
    file_keeper(tmp_path, path).put(4, line)
    one.close()


def test_the_head_of_another_journal_is_kept(tmp_path: Path):
    write(tmp_path, 6)
    path = tmp_path / "elsewhere.json"
    one = file_keeper(tmp_path, path)
    before = head_line(tmp_path)
    one.put(2, before)
    edited(tmp_path / "audit" / NAME, lambda x: x[:1])

    for each in (one, file_keeper(tmp_path, path)):
        with pytest.raises(PublishError, match="another journal"):
            each.put(1, head_line(tmp_path))

    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    write(tmp_path, 3)

    with pytest.raises(PublishError, match="cannot be written: No such file"):
        file_keeper(tmp_path, tmp_path / "gone" / "head.json").put(2, head_line(tmp_path))


def test_a_webhook_gets_the_head_as_it_was_signed(tmp_path: Path):
    with HttpReceiver().serving() as receiver:
        hook = HeadHook(url=f"{receiver.url}/heads", secret=Secret("s3cret"))
        one = HookKeeper(hook, clock=lambda: 1760970191.0)
        one.put(2, b'{"entry":{}}\n')
        one.put(3, b'{"entry":{}}\n')
        one.close()

    first = receiver.got[0]
    expected = hmac.new(b"s3cret", b"1760970191." + first.body, sha256).hexdigest()
    assert (first.path, first.body) == ("/heads", b'{"entry":{}}\n')
    assert first.headers["x-torhaus-signature"] == f"t=1760970191,v1={expected}"
    assert len(receiver.got) == 2
    assert "s3cret" not in one.name


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Said(status=500), "HTTP 500"),
        (Said(status=400), "HTTP 400"),
        (Said(status=302), "redirects are not followed"),
        (Said(hang_up=True), "closed the connection"),
    ],
)
def test_a_webhook_that_does_not_take_it_is_a_sentence(said: Said, told: str):
    with HttpReceiver(always=said).serving() as receiver:
        one = HookKeeper(HeadHook(url=receiver.url, secret=Secret("s3cret")))
        with pytest.raises(PublishError, match=told) as caught:
            one.put(2, b"{}\n")
        one.close()

    assert "s3cret" not in str(caught.value)


def test_each_target_has_its_keeper(tmp_path: Path):
    hook = HeadHook(url="https://keeper.example.org/x?token=abc", secret=Secret("s3cret"))

    assert keeper(HeadFile(path="/mnt/head.json"), tmp_path, {}).name == "file /mnt/head.json"
    assert keeper(hook, tmp_path, {}).name == "webhook keeper.example.org"
    assert keeper(HeadBucket(bucket=Bucket(name="heads")), tmp_path, {}).name == "bucket heads"
