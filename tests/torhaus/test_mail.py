import msgspec
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import rules
from tests.torhaus.cast import NOW, run
from torhaus.annex import fresh_id
from torhaus.mail import Mail
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.letters import MailServer
from torhaus.model.notify import Webhook
from torhaus.model.secret import Secret
from torhaus.watch.email import EmailNotifier
from torhaus.watch.webhook import WebhookNotifier


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


def test_letters_are_written_while_the_rules_name_a_mail_server() -> None:
    server = MailServer(host="mx", port=25, tls="none", sender="t@example.org")
    now = rules(mail=server)
    mail = Mail(lambda: now, fresh_id)

    first = mail.notifiers()[1]
    assert isinstance(first, EmailNotifier)
    assert mail.notifiers()[1] is first
    now = rules(mail=msgspec.structs.replace(server, port=26))
    assert mail.notifiers()[1] is not first
    now = rules()
    assert len(mail.notifiers()) == 1
