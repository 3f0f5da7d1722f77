"""Nine ways to misuse an approval, over HTTP: nothing forbidden reaches the server."""

import pytest

from tests.stories.consent import (
    POLICY,
    CarefulTown,
    create,
    fetched,
    form_of,
    pending,
    posted,
    sent,
)
from tests.stories.town import KEYS
from tests.stories.upstream import Upstream, within


@pytest.fixture(autouse=True)
def nothing_sent(upstream: Upstream) -> None:
    upstream.seen.clear()


def test_misuse_1_a_used_approval_is_not_used_again(
    careful: CarefulTown, upstream: Upstream
) -> None:
    held = pending(create(careful, title="replay"))
    careful.decide(held.id, "approve")
    create(careful, title="replay")

    again = pending(create(careful, title="replay"))

    assert again.id != held.id
    assert sent(upstream) == 1


@pytest.mark.parametrize(
    "other", [{"title": "args."}, {"more": 1}, {"title": ["args"]}, {"text": ""}]
)
def test_misuse_2_other_arguments_need_their_own(
    other: dict[str, object], careful: CarefulTown, upstream: Upstream
) -> None:
    title = f"args {other}"
    held = pending(create(careful, title=title))
    careful.decide(held.id, "approve")

    assert pending(create(careful, **{"title": title, **other})).id != held.id
    assert sent(upstream) == 0


def test_misuse_3_another_user_cannot_use_it(careful: CarefulTown, upstream: Upstream) -> None:
    held = pending(create(careful, title="user"))
    careful.decide(held.id, "approve")

    assert pending(create(careful, "CAROL", title="user")).id != held.id
    assert sent(upstream) == 0


def test_misuse_4_nobody_approves_his_own_call(careful: CarefulTown, upstream: Upstream) -> None:
    held = pending(create(careful, title="self"))
    _, page = fetched(held.url)

    by_api, _ = careful.decide(held.id, "approve", by="ALICE")
    by_page, _ = posted(held.url, form=form_of(page), key=KEYS["ALICE_KEY"], decision="approve")

    assert (by_api, by_page) == (403, 403)
    assert careful.state(held.id) == "pending"
    assert pending(create(careful, title="self")).id == held.id
    assert sent(upstream) == 0


def test_misuse_5_an_expired_approval_is_none(careful: CarefulTown, upstream: Upstream) -> None:
    held = pending(create(careful, title="late"))
    careful.decide(held.id, "approve")
    careful.time_is_over(held.id)

    assert pending(create(careful, title="late")).id != held.id
    assert sent(upstream) == 0
    assert within(60, lambda: careful.ends(held.id)[-1:] == ["approval.expired"])


def test_misuse_6_an_approver_who_lost_the_right_has_approved_nothing(
    changing: CarefulTown, upstream: Upstream
) -> None:
    held = pending(create(changing))
    changing.decide(held.id, "approve")
    users = [each for each in changing.config["users"] if each["email"] != "bob@example.com"]
    changing.changed(users=users)

    assert pending(create(changing)).id != held.id
    assert sent(upstream) == 0


def test_misuse_7_a_changed_policy_needs_a_new_approval(
    changing: CarefulTown, upstream: Upstream
) -> None:
    held = pending(create(changing))
    changing.decide(held.id, "approve")
    changing.changed(policies=[{**POLICY, "approvers": ["mallory@example.com"]}])

    again = pending(create(changing))

    assert again.id != held.id
    assert "mallory@example.com" in again.text
    assert sent(upstream) == 0


def test_misuse_8_a_forged_link_opens_nothing(careful: CarefulTown, upstream: Upstream) -> None:
    held = pending(create(careful, title="forged"))
    other = pending(create(careful, title="forged too"))
    base, _, token = held.url.partition("?t=")
    changed = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
    _, page = fetched(held.url)
    form = form_of(page)

    for url in (
        base,
        f"{base}?t=",
        f"{base}?t={changed}",
        f"{base}?t={other.url.partition('=')[2]}",
    ):
        assert fetched(url)[0] == 404
        assert posted(url, form=form, key=KEYS["BOB_KEY"], decision="approve")[0] == 404
    elsewhere = posted(other.url, form=form, key=KEYS["BOB_KEY"], decision="approve")

    assert elsewhere[0] == 400
    assert careful.state(held.id) == careful.state(other.id) == "pending"
    assert pending(create(careful, title="forged")).id == held.id
    assert sent(upstream) == 0


def test_misuse_9_a_cancelled_request_cannot_be_approved(
    careful: CarefulTown, upstream: Upstream
) -> None:
    held = pending(create(careful, title="cancelled"))
    assert careful.api("POST", f"/approvals/{held.id}/cancel", "ALICE", {})[0] == 200

    assert careful.decide(held.id, "approve")[0] == 409
    assert pending(create(careful, title="cancelled")).id != held.id
    assert sent(upstream) == 0
