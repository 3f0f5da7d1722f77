from torhaus.admin.oauth.successor import Successor, seal, unseal

PAIR = Successor(access="tht_a", refresh="thr_b", audience="github", expires=1.0)


def test_only_the_old_token_opens_the_new_pair() -> None:
    sealed = seal("thr_old", PAIR, b"n" * 12)

    assert unseal("thr_old", sealed) == PAIR
    assert unseal("thr_other", sealed) is None
    assert unseal("thr_old", sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert unseal("thr_old", b"") is None
    assert b"tht_a" not in sealed
