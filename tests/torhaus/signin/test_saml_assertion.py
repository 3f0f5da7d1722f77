"""What an assertion has to say; the forgeries are in test_saml.py."""

import time

import pytest
from lxml import etree

from tests.torhaus.signin.assertions import (
    CALLBACK,
    IDP,
    NAMES,
    OURS,
    REQUEST,
    attribute,
    of,
    stamp,
    valid,
)
from torhaus.signin.saml_assertion import SKEW, Asked, Said, said
from torhaus.signin.saml_shape import AnswerError


def read(root: etree._Element, now: float | None = None) -> Said:
    asked = Asked(
        issuer=IDP,
        entity_id=OURS,
        acs=CALLBACK,
        request=REQUEST,
        now=time.time() if now is None else now,
    )
    return said(root, of(root, "./a:Assertion"), asked)


def refused(root: etree._Element, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        read(root)


def test_it_is_remembered_until_it_could_not_be_used_any_more() -> None:
    found = read(valid(ends=stamp(300)))

    assert found.id == "_assertion-1"
    assert found.expires > time.time() + 290 + SKEW


def test_values_of_one_name_belong_together() -> None:
    twice = attribute("groups", "a", "b") + attribute("groups", "c", "") + attribute("x")

    assert read(valid(attributes=twice)).attributes == {"groups": ("a", "b", "c"), "x": ()}


def test_there_is_an_end_to_values() -> None:
    many = attribute("groups", *map(str, range(5000)))

    assert len(read(valid(attributes=many)).attributes["groups"]) == 1000


def test_skew_is_a_minute_and_no_more() -> None:
    root = valid(ends=stamp(0))

    assert read(root, time.time() + 58)
    with pytest.raises(AnswerError, match="expired"):
        read(root, time.time() + 61)


@pytest.mark.parametrize("value", ["soon", "2026-01-01T00:00:00", "", "9" * 30])
def test_times_that_are_none_are_refused(value: str) -> None:
    refused(valid(ends=value), "time in it")


def test_a_confirmation_without_an_end_confirms_nothing() -> None:
    root = valid()
    del of(root, "//a:SubjectConfirmationData").attrib["NotOnOrAfter"]
    refused(root, "nothing in it confirms")


def test_another_way_to_confirm_is_none() -> None:
    root = valid()
    of(root, "//a:SubjectConfirmation").set(
        "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
    )
    refused(root, "nothing in it confirms")


def test_each_restriction_has_to_name_us() -> None:
    root = valid()
    more = etree.SubElement(of(root, "//a:Conditions"), f"{{{NAMES['a']}}}AudienceRestriction")
    etree.SubElement(more, f"{{{NAMES['a']}}}Audience").text = "https://other.example"
    refused(root, "somebody else")


def test_somebody_has_to_have_signed_in_and_still_be() -> None:
    gone = valid()
    of(gone, "//a:AuthnStatement").set("SessionNotOnOrAfter", stamp(-100))
    refused(gone, "expired")
    none = valid()
    of(none, "./a:Assertion").remove(of(none, "//a:AuthnStatement"))
    refused(none, "has signed in")


@pytest.mark.parametrize("name", ["Subject", "Conditions", "Issuer"])
def test_what_is_needed_once_is_there_once(name: str) -> None:
    none = valid()
    of(none, "./a:Assertion").remove(of(none, f"./a:Assertion/a:{name}"))
    refused(none, f"exactly one {name}")
    twice = valid()
    etree.SubElement(of(twice, "./a:Assertion"), f"{{{NAMES['a']}}}{name}")
    refused(twice, f"exactly one {name}")


def test_the_response_is_by_the_same_provider() -> None:
    root = valid()
    of(root, "./a:Issuer").text = "https://other.example"
    refused(root, "another provider")
