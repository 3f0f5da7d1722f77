"""Forged SAML responses, one for each way to forge one, and the valid one beside them."""

import asyncio
import random
import time
from collections import Counter
from copy import deepcopy

import msgspec
import pytest
import xmlsec
from lxml import etree

from tests.torhaus.signin.assertions import (
    CALLBACK,
    IDP,
    NAMES,
    REQUEST,
    Seen,
    assertion,
    attribute,
    encoded,
    evil,
    keys,
    metadata,
    of,
    response,
    signed,
    signing,
    stamp,
    valid,
)
from torhaus.model.signin import Arrival, Identity, SignInError
from torhaus.signin.saml import SamlSignIn

PRIVATE = {"request": REQUEST, "idp": IDP}


def arrive(
    root: etree._Element | bytes | str,
    ours: SamlSignIn | None = None,
    private: dict[str, str] | None = None,
) -> Identity:
    text = root if isinstance(root, str) else encoded(root)
    arrival = Arrival(form={"SAMLResponse": text}, private=PRIVATE if private is None else private)
    return asyncio.run((ours or signing()).arrive(arrival, CALLBACK, time.time()))


def refused(root: etree._Element | bytes | str, why: str, ours: SamlSignIn | None = None) -> None:
    with pytest.raises(SignInError, match="the answer of Company proves nothing") as error:
        arrive(root, ours)
    assert why in error.value.detail
    assert "example.com" not in error.value.detail


def test_the_valid_response_says_who_it_is() -> None:
    found = arrive(valid())

    assert found.proved == pytest.approx(time.time(), abs=20)
    assert msgspec.structs.replace(found, proved=None) == Identity(
        provider="company",
        issuer=IDP,
        subject="alice@example.com",
        email="alice@example.com",
        name="Alice",
        groups=("developers", "all"),
        session="s1",
    )


def test_a_response_that_is_signed_as_well_is_fine() -> None:
    assert arrive(signed(valid())).subject == "alice@example.com"


# Signature wrapping, as numbered in "On Breaking SAML: Be Whoever You Want to Be" (2012)


def test_forged_01_wrapping_1_the_signed_response_in_an_evil_one() -> None:
    original = signed(valid())
    forged = deepcopy(original)
    forged.set("ID", "_evil-response")
    forged.replace(of(forged, "./a:Assertion"), evil(original))
    of(forged, "./ds:Signature").append(original)
    refused(forged, "several responses")


def test_forged_02_wrapping_2_the_signature_beside_the_signed_response() -> None:
    original = signed(valid())
    forged = deepcopy(original)
    forged.set("ID", "_evil-response")
    forged.replace(of(forged, "./a:Assertion"), evil(original))
    forged.append(original)
    refused(forged, "several responses")


def test_forged_03_wrapping_3_an_evil_assertion_before_the_signed_one() -> None:
    root = valid()
    root.insert(2, evil(root))
    refused(root, "not exactly one assertion")


def test_forged_04_wrapping_4_the_signed_assertion_in_an_evil_one() -> None:
    root = valid()
    wrapper = evil(root)
    wrapper.append(of(root, "./a:Assertion"))
    root.append(wrapper)
    refused(root, "not exactly one assertion")


def test_forged_05_wrapping_5_the_evil_assertion_carries_the_signature() -> None:
    root = valid()
    original = of(root, "./a:Assertion")
    copy = evil(root)
    copy.insert(1, of(original, "./ds:Signature"))
    root.replace(original, copy)
    root.append(original)
    refused(root, "not exactly one assertion")


def test_forged_06_wrapping_6_the_original_in_the_evil_ones_signature() -> None:
    root = valid()
    original = of(root, "./a:Assertion")
    copy = evil(root)
    signature = of(original, "./ds:Signature")
    copy.insert(1, signature)
    signature.append(original)
    root.append(copy)
    refused(root, "not exactly one assertion")


def test_forged_07_wrapping_7_the_evil_assertion_in_extensions() -> None:
    root = valid()
    extensions = etree.SubElement(root, f"{{{NAMES['p']}}}Extensions")
    extensions.append(evil(root, of(root, "./a:Assertion").get("ID")))
    root.insert(1, extensions)
    refused(root, "not exactly one assertion")


def test_forged_08_wrapping_8_the_original_in_an_object_of_the_signature() -> None:
    root = valid()
    original = of(root, "./a:Assertion")
    copy = evil(root, original.get("ID"))
    signature = of(original, "./ds:Signature")
    copy.insert(1, signature)
    etree.SubElement(signature, f"{{{NAMES['ds']}}}Object").append(original)
    root.append(copy)
    refused(root, "not exactly one assertion")


def test_forged_09_without_a_signature() -> None:
    refused(response(assertion()), "the assertion is not signed")
    refused(signed(response(assertion())), "the assertion is not signed")


def test_forged_10_the_same_a_second_time() -> None:
    ours = signing(Seen())
    root = valid()
    assert arrive(root, ours)
    refused(root, "used before", ours)


def test_forged_11_for_another_audience() -> None:
    refused(valid(audience="https://other.example/metadata"), "somebody else")
    bare = assertion()
    of(bare, "./a:Conditions").remove(of(bare, ".//a:AudienceRestriction"))
    refused(response(signed(bare)), "whom it is for")


def test_forged_12_for_another_address() -> None:
    refused(valid(destination=CALLBACK + "2"), "another address")
    refused(valid(recipient=CALLBACK + "2"), "nothing in it confirms")
    refused(valid(recipient="https://evil.test/?" + CALLBACK), "nothing in it confirms")


def test_forged_13_for_another_request() -> None:
    refused(valid(answers="_other", request="_other"), "another request")
    refused(valid(request="_other"), "nothing in it confirms")
    unasked = valid()
    del unasked.attrib["InResponseTo"]
    refused(unasked, "another request, or none")


def test_forged_14_that_has_expired_or_is_from_the_future() -> None:
    refused(valid(begins=stamp(-400), ends=stamp(-100)), "")
    refused(valid(begins=stamp(100)), "not valid yet")


def test_forged_15_with_a_comment_in_the_name() -> None:
    raw = etree.tostring(valid(name_id="root@example.com.evil.test"))
    refused(raw.replace(b"root@example.com.evil", b"root@example.com<!-- -->.evil"), "comments")
    inside = etree.tostring(valid()).replace(b"alice@", b"alice<a:b/>@")
    refused(inside, "something else")


def test_forged_16_with_an_external_entity() -> None:
    raw = etree.tostring(valid()).replace(b"alice@example.com", b"&xxe;")
    kind = b'<!DOCTYPE r [<!ENTITY xxe SYSTEM "file:///etc/hostname">]>'
    refused(kind + raw, "declares a type")
    refused((kind + raw).decode().encode("utf-16"), "")


def test_forged_17_with_a_billion_laughs() -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE r [<!ENTITY l0 "ha">{lines}]><r>&l11;</r>'.encode()
    begun = time.process_time()
    refused(bomb, "declares a type")
    refused(b"<r>" + b"<a>" * 200_000, "")
    assert time.process_time() - begun < 2


def test_forged_18_with_a_weak_algorithm() -> None:
    weak = signed(assertion(), method=xmlsec.constants.TransformRsaSha1)
    refused(response(weak), "SignatureMethod")
    digest = signed(assertion(), digest=xmlsec.constants.TransformSha1)
    refused(response(digest), "DigestMethod")


def test_forged_19_with_somebody_elses_key() -> None:
    refused(response(signed(assertion(), keys("other")[0])), "signature or structure")


def test_forged_20_by_another_provider() -> None:
    root = response(signed(assertion(issuer="https://other.example/metadata")))
    refused(root, "")
    both = "https://other.example/metadata"
    refused(response(signed(assertion(issuer=both)), issuer=both), "")


def test_forged_21_with_a_changed_word() -> None:
    root = valid()
    of(root, "//a:NameID").text = "root@example.com"
    refused(root, "signature or structure")


def test_forged_22_with_a_second_reference() -> None:
    root = valid()
    info = of(root, "//ds:SignedInfo")
    info.append(deepcopy(of(info, "./ds:Reference")))
    refused(root, "several things")
    empty = valid()
    of(empty, "//ds:Reference").set("URI", "")
    refused(empty, "something else")


def test_forged_23_that_says_no() -> None:
    refused(valid(status="Responder"), "signature or structure")


@pytest.mark.parametrize(
    "text",
    ["", "%%%", "AAAA", "PHg+", encoded(b"<x/>"), encoded(b"\x00" * 50), "ü", "A" * 600_000],
)
def test_garbage_never_raises_anything_else(text: str) -> None:
    refused(text, "")


def test_an_answer_to_nothing_is_refused() -> None:
    for private in ({}, {"request": REQUEST, "idp": "https://other.example"}, {"idp": IDP}):
        with pytest.raises(SignInError) as error:
            arrive(valid(), private=private)
        assert "nothing is kept" in error.value.detail


def test_a_minute_of_difference_between_clocks_is_forgiven() -> None:
    assert arrive(valid(begins=stamp(50)))


def test_attributes_say_who_it_is_where_they_are_named() -> None:
    said = attribute("uid", "u-alice") + attribute("mail", "Alice@Example.com")
    ours = signing(subject_attributes=("uid",), email_attributes=("email", "mail"))

    found = arrive(valid(name_id="_random", format="x:transient", attributes=said), ours)

    assert (found.subject, found.email) == ("u-alice", "alice@example.com")


def test_several_addresses_say_nothing() -> None:
    said = attribute("mail", "alice@example.com", "root@example.com")
    ours = signing(email_attributes=("mail",))

    assert arrive(valid(attributes=said), ours).email is None


def test_a_name_that_is_another_each_time_names_nobody() -> None:
    transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    refused(valid(format=transient), "subject_attribute")


def test_a_name_without_an_address_vouches_for_none() -> None:
    assert arrive(valid(name_id="u-alice", format="x:persistent")).email is None


def test_a_new_certificate_counts_beside_the_old_one() -> None:
    both = metadata(keys("old")[1], keys("idp")[1])

    assert arrive(valid(), signing(metadata=both))


def test_a_changed_octet_never_makes_anybody_else() -> None:
    """Where something outside of the assertion has changed it may still be Alice."""
    raw = etree.tostring(valid())
    chance = random.Random(7)
    outcomes: Counter[str] = Counter()
    for _ in range(100):
        at, octet = chance.randrange(len(raw)), chance.randrange(256)
        changed = raw[:at] + bytes((octet,)) + raw[at + 1 :]
        try:
            found = arrive(changed, signing())
        except SignInError:
            outcomes["refused"] += 1
            continue
        assert (found.subject, found.email) == ("alice@example.com", "alice@example.com")
        outcomes["alice"] += 1
    assert outcomes["refused"] > 60
