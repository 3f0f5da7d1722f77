"""What carries the acts of this room out."""

from collections.abc import Mapping

from torhaus.admin.perform import Work
from torhaus.admin.teams.acts import ChangeTeam, JoinTeam, LeaveTeam, MakeTeam, RemoveTeam
from torhaus.admin.teams.changing import change_team, make_team, remove_team
from torhaus.admin.teams.joining import join_team, leave_team

TEAM_WORKS: Mapping[type, Work] = {
    MakeTeam: make_team,
    ChangeTeam: change_team,
    RemoveTeam: remove_team,
    JoinTeam: join_team,
    LeaveTeam: leave_team,
}
