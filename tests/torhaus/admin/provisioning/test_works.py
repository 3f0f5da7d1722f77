from torhaus.admin.provisioning import acts
from torhaus.admin.provisioning.works import PROVISIONING_WORKS


def test_every_act_is_carried_out() -> None:
    told = {each for name, each in vars(acts).items() if name.startswith(("Provision", "Remove"))}

    assert set(PROVISIONING_WORKS) == told - {acts.Provisioned}
