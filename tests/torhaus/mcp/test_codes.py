from torhaus.mcp import codes

OURS = [
    codes.PENDING,
    codes.UNAUTHORIZED,
    codes.REFUSED,
    codes.UNKNOWN_SERVER,
    codes.LIMITED,
    codes.UPSTREAM_FAILED,
    codes.AUDIT_UNAVAILABLE,
]


def test_our_codes_stay_out_of_what_the_protocol_keeps_for_itself():
    assert not [code for code in OURS if -32768 <= code <= -32000]
    assert len(set(OURS)) == len(OURS)


def test_only_codes_of_the_modern_era_prove_it():
    assert all(-32099 <= code <= -32020 for code in codes.MODERN_EVIDENCE)
