from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import ALICE, DANA, key, rules, until
from tests.torhaus.cast import NOW, run, sealer
from tests.torhaus.store.audit.journals import journal
from tests.torhaus.witnesses import MemoryLedger
from torhaus.admin.acts import DecideAccess, Done, RequestAccess
from torhaus.admin.rounds import Grants
from torhaus.annex import Annex, Gatekeeper, Mail, entrance, fresh_id
from torhaus.api.door import Caller, Turned
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.gate.catalogue import Catalogue
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.notify import Webhook
from torhaus.model.ports import StateError
from torhaus.model.secret import Secret
from torhaus.redact.guard import SHAPES
from torhaus.store.counters import MemoryCounters
from torhaus.store.memory import MemoryCache
from torhaus.store.state.database import NAME
from torhaus.watch.webhook import WebhookNotifier


class House:
    """As much of one as the annex needs."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.rules = rules()
        self.granted: list[Grants] = []
        self.annex = Annex(
            Settings(data_dir=home, **settings),
            sealer=sealer(),
            ledger=MemoryLedger(),
            journal=journal(home),
            rules=lambda: self.rules,
            catalogue=Catalogue(),
            regrant=self.regrant,
            cache=MemoryCache(),
            counters=MemoryCounters(),
            guard=SHAPES,
        )

    async def regrant(self, grants: Grants) -> None:
        self.granted.append(grants)


@asynccontextmanager
async def house(home: Path, **settings: Any) -> AsyncIterator[House]:
    made = House(home, **settings)
    await made.annex.start()
    try:
        yield made
    finally:
        await made.annex.close()


async def grant(made: House) -> None:
    asked = await made.annex.admin.perform(ALICE, RequestAccess("tech_lead", 3600.0))
    assert isinstance(asked, Done)
    done = await made.annex.admin.perform(DANA, DecideAccess(asked.result.id, True))
    assert isinstance(done, Done)


def test_a_grant_is_in_force_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        with capture_logs():
            async with house(tmp_path) as made:
                assert made.granted == []
                await grant(made)
                await until(lambda: made.granted != [])

            async with house(tmp_path) as again:
                (grants,) = again.granted

        assert [each.role for each in grants] == ["tech_lead"]

    run(story())


def test_two_gateways_on_one_database_learn_from_each_other(tmp_path: Path) -> None:
    async def story() -> None:
        with capture_logs():
            async with house(tmp_path) as one, house(tmp_path) as other:
                await grant(one)
                await until(lambda: other.granted != [])

        assert other.granted[0] == one.granted[0]

    run(story())


def test_a_database_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    async def story() -> None:
        made = House(tmp_path)
        with pytest.raises(StateError, match="cannot be opened"):
            await made.annex.start()
        await made.annex.close()

    run(story())


def asked() -> Approval:
    wanted = Wanted(
        digest=b"",
        requester="a",
        email="a",
        server="s",
        tool="t",
        arguments="{}",
        policy="p",
        reason="",
        policy_version="1",
    )
    return Approval(id="adm_1", state=State.PENDING, wanted=wanted, created=NOW, expires=NOW + 9)


@pytest.mark.parametrize(
    ("settings", "port", "start"),
    [
        ({"public_url": "https://gw.example.org"}, 1, "https://gw.example.org/approvals/adm_1?t="),
        ({"port": 8080}, None, "http://127.0.0.1:8080/approvals/adm_1?t="),
        ({"port": 0}, 4711, "http://127.0.0.1:4711/approvals/adm_1?t="),
    ],
)
def test_links_lead_to_where_people_reach_us(
    settings: dict[str, Any], port: int | None, start: str, tmp_path: Path
) -> None:
    async def story() -> None:
        made = House(tmp_path, **settings)
        made.annex.port = port

        assert str(made.annex.links.url(asked())).startswith(start)

    run(story())


def test_links_follow_the_configuration(tmp_path: Path) -> None:
    async def story() -> None:
        made = House(tmp_path, port=8080)
        made.annex.renew(Settings(public_url="https://new.example.org"))

        assert str(made.annex.links.url(asked())).startswith("https://new.example.org/")

    run(story())


def test_without_a_port_there_is_no_link(tmp_path: Path) -> None:
    async def story() -> None:
        assert House(tmp_path, port=0).annex.links.url(asked()) is None

    run(story())


def scope(path: str = "/", **headers: str) -> dict[str, Any]:
    usual = {"host": "localhost", **headers}
    pairs = [(name.encode(), value.encode()) for name, value in usual.items()]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "scheme": "http",
        "headers": pairs,
        "client": ("127.0.0.1", 1),
    }


def test_the_gatekeeper_makes_the_edges_checks() -> None:
    door = Gatekeeper(lambda: Admission(Settings()), rules)

    known = door.admit(scope(apikey=key(ALICE)))
    assert isinstance(known, Caller)
    assert (known.principal, known.ip) == (ALICE, "127.0.0.1")
    stranger = door.admit(scope(apikey="wrong"))
    assert isinstance(stranger, Turned)
    assert stranger.status == 401
    assert str(stranger.challenge).startswith('Bearer realm="torhaus", error="invalid_token"')
    assert door.look(scope()) is None
    assert door.refusal(scope()) is None
    refused = door.refusal(scope(host="evil.example"))
    assert refused is not None
    assert refused[0] == 421


def test_the_api_and_the_pages_have_one_entrance() -> None:
    seen: list[str] = []

    def application(name: str) -> Any:
        async def called(*_: Any) -> None:
            seen.append(name)

        return called

    async def story() -> None:
        both = entrance(application("api"), application("pages"))
        for path in ("/api/v1/me", "/api/", "/api", "/apix", "/", "/approvals/1"):
            await both(scope(path), None, None)  # type: ignore[arg-type]

    run(story())
    assert seen == ["api", "api", "pages", "pages", "pages", "pages"]


def test_the_webhook_follows_the_configuration() -> None:
    async def story() -> None:
        hook = Webhook("http://127.0.0.1:1/", Secret("s"))
        now = rules()
        mail = Mail(lambda: now, fresh_id)
        assert len(mail.notifiers()) == 1

        now = rules(webhook=hook)
        first = mail.notifiers()[1]
        assert isinstance(first, WebhookNotifier)
        assert mail.notifiers()[1] is first

        now = rules(webhook=Webhook("http://127.0.0.1:2/", Secret("s")))
        assert mail.notifiers()[1] is not first
        now = rules()
        assert len(mail.notifiers()) == 1
        mail.close()

    run(story())


def test_a_webhook_that_cannot_be_used_is_counted() -> None:
    async def story() -> None:
        mail = Mail(lambda: rules(webhook=Webhook("ftp://x/", Secret("s"))), fresh_id)
        news = Announcement(kind=Kind.APPROVAL_DECIDED, text="x", at=NOW)
        notifier = mail.notifiers()[1]
        assert isinstance(notifier, WebhookNotifier)
        notifier._waits = ()

        with capture_logs() as logged:
            await notifier.tell(news)

        assert mail.counts == {"failed": 1}
        assert logged[0]["event"] == "notice.failed"

    run(story())


def test_ids_are_not_to_be_guessed() -> None:
    assert len({fresh_id() for _ in range(1000)}) == 1000
    assert len(fresh_id()) == 24
