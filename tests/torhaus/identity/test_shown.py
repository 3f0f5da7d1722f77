"""What records call a credential."""

from hashlib import sha256

import pytest

from torhaus.identity.shown import of_file, shown
from torhaus.model.credentials import Credential, CredentialKind

DIGEST = sha256(b"s").digest()


def credential(kind: CredentialKind, family: str = "") -> Credential:
    return Credential(digest=DIGEST, id="adm_1", kind=kind, email="a@x.de", family=family)


@pytest.mark.parametrize(
    ("kind", "family", "expected"),
    [
        (CredentialKind.KEY, "", "key:adm_1"),
        (CredentialKind.ACCESS, "con_1", "token:con_1"),
        (CredentialKind.ACCESS, "", "token:adm_1"),
        (CredentialKind.SESSION, "adm_2", "session:adm_2"),
    ],
)
def test_each_kind_goes_by_the_id_that_lists_show(
    kind: CredentialKind, family: str, expected: str
) -> None:
    found = shown(credential(kind, family))

    assert found == expected
    assert DIGEST.hex()[:4] not in found


def test_a_key_of_the_file_goes_by_its_number() -> None:
    assert of_file(2) == "file-key:2"
    assert of_file(None) == ""
