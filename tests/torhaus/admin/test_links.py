import pytest

from tests.torhaus.admin.hall import WANTED
from tests.torhaus.cast import NOW, sealer
from torhaus.admin.links import DecisionLinks, SealError
from torhaus.model.approval import Approval, State

APPROVAL = Approval(
    id="adm_1/?#", state=State.PENDING, wanted=WANTED, created=NOW, expires=NOW + 900
)


def links(origin: str | None = "https://gw.example.org") -> DecisionLinks:
    return DecisionLinks(sealer(), lambda: origin)


def token(of: DecisionLinks) -> str:
    url = of.url(APPROVAL)
    assert url is not None
    start, _, sealed = url.partition("?t=")
    assert start == "https://gw.example.org/approvals/adm_1%2F%3F%23"
    return sealed


def test_a_link_is_good_for_one_request_until_that_expires() -> None:
    ours = links()
    sealed = token(ours)

    ours.check(APPROVAL.id, sealed, NOW + 899)
    with pytest.raises(SealError):
        ours.check(APPROVAL.id, sealed, NOW + 900)
    with pytest.raises(SealError):
        ours.check("adm_2", sealed, NOW)


def test_a_forged_link_does_not_open() -> None:
    ours = links()
    sealed = token(ours)

    for forged in ("", "x", sealed[:-1], sealed + "A", sealed.swapcase(), "ä", "é" * 40):
        with pytest.raises(SealError):
            ours.check(APPROVAL.id, forged, NOW)


def test_a_form_belongs_to_its_link() -> None:
    ours = links()
    sealed = token(ours)
    form = ours.form(APPROVAL.id, sealed, NOW + 900)

    ours.check_form(APPROVAL.id, sealed, form, NOW)
    for id, link in ((APPROVAL.id, sealed + "x"), ("adm_2", sealed)):
        with pytest.raises(SealError):
            ours.check_form(id, link, form, NOW)
    with pytest.raises(SealError):
        ours.check_form(APPROVAL.id, sealed, sealed, NOW)
    with pytest.raises(SealError):
        ours.check(APPROVAL.id, form, NOW)


def test_without_an_address_there_is_no_link() -> None:
    assert links(None).url(APPROVAL) is None
