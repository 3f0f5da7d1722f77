import msgspec
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.torhaus.cast import NOW, sealer
from torhaus.admin.signin.factors import proof, sealed
from torhaus.identity.recovery import digest
from torhaus.model.accounts import Password

SECRET = b"12345678901234567890"


def account(**changes: object) -> Password:
    made = Password(
        email="a@example.org",
        hash="x",
        second_factor=sealed(sealer(), "a@example.org", SECRET),
        recovery=(digest("abcd-efgh-jkmn-pqrs"),),
    )
    return msgspec.structs.replace(made, **changes)


def code(at: float) -> str:
    return TOTP(SECRET, 6, SHA1(), 30, enforce_key_length=False).generate(int(at)).decode()


def test_a_code_or_a_recovery_code_is_proof() -> None:
    found = proof(sealer(), account(), code(NOW), NOW)
    assert found is not None
    assert found.step == int(NOW) // 30

    spent = proof(sealer(), account(), "ABCD EFGH JKMN PQRS", NOW)
    assert spent is not None
    assert (spent.step, spent.left) == (None, ())


def test_used_codes_wrong_codes_and_moved_secrets_are_none() -> None:
    assert proof(sealer(), account(last_step=int(NOW) // 30), code(NOW), NOW) is None
    assert proof(sealer(), account(), "000000", NOW) is None
    assert proof(sealer(), account(), "", NOW) is None
    assert proof(sealer(), account(email="b@example.org"), code(NOW), NOW) is None
    assert proof(sealer(), account(second_factor=b"\xff"), code(NOW), NOW) is None
    assert proof(sealer(), account(second_factor=None, recovery=()), code(NOW), NOW) is None
