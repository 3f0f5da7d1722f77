from torhaus.admin.teams import acts
from torhaus.admin.teams.works import TEAM_WORKS


def test_every_act_is_carried_out() -> None:
    told = {each for name, each in vars(acts).items() if name.endswith("Team")}

    assert set(TEAM_WORKS) == told - {acts.Team}
