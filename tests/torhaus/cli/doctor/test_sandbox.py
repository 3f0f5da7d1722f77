from torhaus.cli.doctor.finding import Level
from torhaus.cli.doctor.sandbox import finding
from torhaus.store.query.landlock import version


def test_whether_the_kernel_helps_is_said() -> None:
    found = finding()

    assert found.check == "audit queries"
    assert (found.level is Level.PASS) == (version() > 0)
    assert "Landlock" in found.message
