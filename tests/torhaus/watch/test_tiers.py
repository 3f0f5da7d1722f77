from torhaus.model.keeping import NO_STANDING, Shelved, Standing
from torhaus.watch.tiers import families

STANDING = Standing(
    tiers={"hot": Shelved(files=2, records=500, octets=12_000), "cold": Shelved()},
    waiting=Shelved(files=1, records=9, octets=900),
    oldest=1000.0,
    broken=1,
    failures={"move": 3},
    trouble="the bucket does not answer",
)


def numbers(standing: Standing) -> dict[str, float]:
    found = {}
    for family in families(standing, lambda: 1060.0):
        for each in family.samples:
            labels = ",".join(each.labels.values())
            found[f"{each.name.removeprefix('mcp_gateway_audit_')}{{{labels}}}"] = each.value
    return found


def test_every_tier_has_its_numbers() -> None:
    assert numbers(STANDING) == {
        "files{segments}": 1,
        "files{hot}": 2,
        "files{cold}": 0,
        "records{segments}": 9,
        "records{hot}": 500,
        "records{cold}": 0,
        "bytes{segments}": 900,
        "bytes{hot}": 12_000,
        "bytes{cold}": 0,
        "uncompacted_age_seconds{}": 60,
        "broken_segments{}": 1,
        "upkeep_healthy{}": 0,
        "upkeep_failures_total{move}": 3,
    }


def test_before_the_first_look_nothing_is_wrong() -> None:
    found = numbers(NO_STANDING)

    assert found["upkeep_healthy{}"] == 1
    assert found["uncompacted_age_seconds{}"] == 0
