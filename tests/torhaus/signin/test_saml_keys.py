"""The key that our SAML requests are signed with."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from torhaus.signin.saml_keys import pair


def test_a_key_and_its_certificate_belong_together_for_ten_years() -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    key, certificate = pair(now)

    found = x509.load_pem_x509_certificate(certificate.encode())
    private = load_pem_private_key(key.encode(), None)
    assert private.public_key() == found.public_key()
    assert private.key_size == 3072
    assert found.not_valid_after_utc > now + datetime.timedelta(days=3600)
    assert pair(now)[0] != key
