"""`torhaus secrets`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import OWNER, keeping
from tests.torhaus.cli.terminal import CONFIG, KEY, Said, torhaus

SERVERS = "  api: {url: 'http://127.0.0.1:9/mcp', auth: {type: stored}, health: {interval: off}}\n"
TEXT = CONFIG.replace("accessControl:", SERVERS + "accessControl:", 1).replace(
    "[git.*]", "[git.*, api.*, 'torhaus:credentials:admin']"
)
OLD, NEW = "canary-old-0123456789abcdef", "canary-new-0123456789abcdef"


@pytest.fixture(scope="module")
def vaulted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with keeping(tmp_path_factory.mktemp("vaulted"), TEXT) as gate:
        yield gate


def secrets(gate: Gate, *words: str, typed: str = "", key: str = OWNER) -> Said:
    env = {"TORHAUS_KEY": key, "TORHAUS_URL": gate.url}
    return torhaus("secrets", *words, at=gate.home, env=env, typed=typed)


def test_a_credential_is_put_rotated_rolled_back_rekeyed_and_removed(vaulted: Gate) -> None:
    assert secrets(vaulted, "list").out == "Nothing is kept.\n"
    before = (vaulted.data / "vault.key").read_text().strip()
    done = [
        secrets(vaulted, "put", "api", typed=f"{OLD}\n"),
        secrets(vaulted, "rotate", "api", typed=f"{NEW}\n"),
        secrets(vaulted, "rollback", "api"),
        secrets(vaulted, "rekey"),
        secrets(vaulted, "list"),
        secrets(vaulted, "remove", "api"),
    ]

    assert [each.code for each in done] == [0] * 6, [each.err for each in done]
    assert done[0].out == "api: kept, version 1 (bearer).\n"
    assert done[1].out == "api: rotated, version 2 (bearer).\n"
    assert done[2].out == "api: rolled back, version 1 (bearer).\n"
    assert done[3].out.startswith("2 sealed anew under the key ")
    assert "previous" in done[4].out
    assert done[5].out == "api: the credential is gone.\n"
    new, old = (vaulted.data / "vault.key").read_text().split()
    assert old == before != new
    written = [each.read_bytes() for each in vaulted.home.rglob("*") if each.is_file()]
    for secret in (OLD, NEW):
        assert not any(secret.encode() in each for each in written)
        assert not any(secret in each.out + each.err for each in done)


def test_who_may_not_change_it_learns_nothing(vaulted: Gate) -> None:
    no = secrets(vaulted, "put", "api", typed=f"{OLD}\n", key=KEY)

    assert (no.code, no.out) == (1, "")
    assert "admin permission on api" in no.err
    assert secrets(vaulted, "list", key=KEY).out == "Nothing is kept.\n"


def test_a_kind_that_is_none_is_wrong_use(vaulted: Gate) -> None:
    wrong = secrets(vaulted, "put", "api", "--kind", "magic", typed="x\n")

    assert wrong.code == 2
    assert "bearer, header, basic" in wrong.err
