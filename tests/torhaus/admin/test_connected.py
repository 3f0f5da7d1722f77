from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, MALLORY, Hall, play, rules
from tests.torhaus.admin.test_connections import CONNECTED, LINKS, WISH
from tests.torhaus.admin.test_wallet_vouched import of_acme
from tests.torhaus.admin.vaulted import personal
from tests.torhaus.cast import run
from torhaus.admin.connected import connected
from torhaus.admin.connections import KeepConnection
from torhaus.model.providers import OidcProvider, Terms
from torhaus.model.vault import Content, VaultKind


def test_everybody_sees_what_he_has_connected_and_where_to_connect(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        at.rules = rules(servers={"github": personal()})
        before = await connected(at.means, LINKS, ALICE)
        await at.done(ALICE, KeepConnection(wish=WISH, connected=CONNECTED))
        after = await connected(at.means, LINKS, ALICE)

        assert [(each.server, each.state) for each in before] == [("github", "missing")]
        assert before[0].connect.startswith("/connect/github?t=")
        assert [(each.server, each.state) for each in after] == [("github", "connected")]
        assert after[0].connect == ""
        assert [each.state for each in await connected(at.means, LINKS, BOB)] == ["missing"]
        assert await connected(at.means, LINKS, MALLORY) == []

    run(play(tmp_path, story))


def test_where_a_provider_vouches_everybody_sees_whether_he_has_signed_in(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        provider = OidcProvider(name="acme", label="Acme", terms=Terms(), issuer="i", client_id="c")
        at.rules = rules(servers={"github": personal(provider="acme")}, providers=(provider,))
        before = await connected(at.means, LINKS, ALICE)
        kept = of_acme(at, VaultKind.IDENTITY)
        async with at.office.write() as desk:
            key = await at.safe.key(desk, at.clock())
            await desk.vault.add(at.safe.sealed(kept, Content(value="x"), key))
        after = await connected(at.means, LINKS, ALICE)

        assert [(each.state, each.through) for each in before] == [("missing", "Acme")]
        assert before[0].connect == "/login/acme?next=/me/servers"
        assert [(each.state, each.connect) for each in after] == [("connected", "")]
        assert [each.state for each in await connected(at.means, LINKS, BOB)] == ["missing"]
        assert await connected(at.means, LINKS, MALLORY) == []

    run(play(tmp_path, story))
