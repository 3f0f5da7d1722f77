"""What of a document is looked at before any signature; the forgeries are in test_saml.py."""

import pytest
from lxml import etree

from tests.torhaus.signin.assertions import NAMES, of, signed, valid
from torhaus.signin.saml_shape import MAX_RESPONSE, AnswerError, decoded, parsed, shaped


def refused(raw: bytes, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        shaped(raw)


def test_the_signed_assertion_is_found() -> None:
    assert shaped(etree.tostring(signed(valid()))).get("ID") == "_assertion-1"


@pytest.mark.parametrize("text", ["", "A", "A===", "A" * (MAX_RESPONSE + 1), "-_-_", "\u212a"])
def test_what_is_no_base64_is_no_response(text: str) -> None:
    with pytest.raises(AnswerError):
        decoded(text)


def test_base64_may_have_lines() -> None:
    assert decoded("PHgv\r\nPg==\r\n") == b"<x/>"


@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE x><x/>",
        b"<x><!-- a --></x>",
        b"<!-- a --><x/>",
        b"<x/><!-- a -->",
        b"<x><?php a?></x>",
        b"<?a b?><x/>",
        b"<x>&a;</x>",
        b"<?xml version='1.0' encoding='utf-16'?><x/>",
        b"<?xml version='1.0' encoding='cp037'?><x/>",
        b"<x",
        b"",
    ],
)
def test_only_plain_documents_are_read(raw: bytes) -> None:
    with pytest.raises(AnswerError):
        parsed(raw)


def test_what_is_encrypted_is_refused_with_what_to_do() -> None:
    root = valid()
    etree.SubElement(root, f"{{{NAMES['a']}}}EncryptedAssertion")

    refused(etree.tostring(root), "switch encryption off")


def test_two_elements_with_one_id_are_refused() -> None:
    root = valid()
    root.set("ID", "_assertion-1")
    refused(etree.tostring(root), "one id")
    other = valid()
    of(other, "//a:Conditions").set("{http://www.w3.org/XML/1998/namespace}id", "_assertion-1")
    refused(etree.tostring(other), "one id")


def test_a_transform_that_could_hide_something_is_refused() -> None:
    root = valid()
    of(root, "(//ds:Transform)[1]").set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")

    refused(etree.tostring(root), "transform")


def test_a_signature_of_something_else_is_refused() -> None:
    root = valid()
    of(root, "//p:Status").append(of(signed(valid()), "./ds:Signature"))

    refused(etree.tostring(root), "something else is signed")


def test_an_assertion_of_another_version_is_refused() -> None:
    raw = etree.tostring(valid()).replace(b"SAML:2.0:assertion", b"SAML:1.0:assertion")

    refused(raw, "another version")


def test_another_document_is_no_response() -> None:
    refused(etree.tostring(of(valid(), "./a:Assertion")), "no response")
