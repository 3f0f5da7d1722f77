"""The way to show a server what the vault keeps."""

import asyncio
import base64

import pytest

from tests.torhaus.upstream.purses import MemoryWallet, held, previous
from torhaus.model.ports import UpstreamError
from torhaus.model.vault import VaultKind
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.stored import AGAIN, StoredWay, shown

NO = DeniedError("it refused the gateway's credential (HTTP 401)", outright=True)
NEW, OLD = held("new-token", version=2), previous("old-token")


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def way(*helds: object, **more: object) -> tuple[StoredWay, MemoryWallet, Ticks]:
    wallet, ticks = MemoryWallet(*helds), Ticks()  # type: ignore[arg-type]
    return StoredWay("web", wallet, ticks), wallet, ticks


@pytest.mark.parametrize(
    ("kept", "header", "secret"),
    [
        (held("abc"), ("Authorization", "Bearer abc"), "abc"),
        (held("abc", kind=VaultKind.HEADER, name="X-Key"), ("X-Key", "abc"), "abc"),
    ],
)
def test_each_kind_has_its_header(kept, header, secret):
    found = shown(kept)

    assert [(name, value.reveal()) for name, value in found.headers] == [header]
    assert [each.reveal() for each in found.secrets] == [secret]
    assert secret not in repr(found)


def test_basic_is_encoded_and_both_spellings_are_secret():
    found = shown(held("pass", kind=VaultKind.BASIC, username="robot"))
    pair = base64.b64encode(b"robot:pass").decode()

    assert found.headers[0][1].reveal() == f"Basic {pair}"
    assert {each.reveal() for each in found.secrets} == {"pass", pair}


def test_where_the_new_one_is_refused_the_former_stands_in_for_a_minute():
    async def story():
        mine, wallet, ticks = way(NEW, OLD)

        assert mine.at_hand("") == shown(NEW)
        assert await mine.refused("", shown(NEW), NO) == shown(OLD)
        await mine.answered("", shown(OLD))
        assert mine.at_hand("") == shown(OLD)
        ticks.now += AGAIN
        assert mine.at_hand("") == shown(NEW)
        assert wallet.stood == ["new-token"]

    asyncio.run(story())


def test_where_both_were_refused_the_new_one_goes_first_again():
    async def story():
        mine, wallet, _ = way(NEW, OLD)
        await mine.refused("", shown(NEW), NO)

        assert await mine.refused("", shown(OLD), NO) == shown(NEW)
        assert mine.at_hand("") == shown(NEW)
        assert wallet.stood == []


def test_a_single_one_that_is_refused_has_no_other():
    async def story():
        mine, _, _ = way(NEW)

        assert await mine.refused("", shown(NEW), NO) is None

    asyncio.run(story())


def test_a_right_that_is_missing_is_no_reason_to_show_another():
    async def story():
        mine, _, _ = way(NEW, OLD)
        forbidden = DeniedError("it refused (HTTP 403)", outright=False)

        assert await mine.refused("", shown(NEW), forbidden) is None
        assert mine.at_hand("") == shown(NEW)

    asyncio.run(story())


def test_without_one_people_read_what_to_type():
    async def story():
        mine, _, _ = way()

        assert mine.at_hand("") is None
        with pytest.raises(UpstreamError, match="torhaus secrets put web"):
            await mine.present("")

    asyncio.run(story())


def test_what_policy_blocks_is_not_shown():
    mine, _, _ = way(held("abc", blocked="it is too old: rotate it"))

    with pytest.raises(UpstreamError, match="too old"):
        mine.at_hand("")


def test_a_database_that_is_down_is_said_and_what_is_known_works_on():
    async def story():
        mine, wallet, _ = way(NEW)
        wallet.down = True

        assert mine.at_hand("") == shown(NEW)
        wallet.cold = True
        assert mine.at_hand("") is None
        with pytest.raises(UpstreamError, match="state database"):
            await mine.present("")

    asyncio.run(story())


def test_tokens_of_other_kinds_are_not_shown():
    mine, _, _ = way(held("abc", kind=VaultKind.OAUTH_SHARED))

    assert mine.at_hand("") is None
