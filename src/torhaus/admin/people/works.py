"""What carries the acts of this room out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.acts import (
    AddPerson,
    ChangePerson,
    EndFamily,
    LiftStop,
    MakeKey,
    MakeStop,
    OffboardPerson,
    ReinstatePerson,
    RevokeKey,
    SuspendPerson,
)
from torhaus.admin.people.changing import add_person, change_person
from torhaus.admin.people.ending import offboard_person, reinstate_person, suspend_person
from torhaus.admin.people.keys import end_family, make_key, revoke_key
from torhaus.admin.people.stopping import lift_stop, make_stop
from torhaus.model.desk import Desk

PEOPLE_WORKS: Mapping[type, Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]] = {
    AddPerson: add_person,
    ChangePerson: change_person,
    SuspendPerson: suspend_person,
    ReinstatePerson: reinstate_person,
    OffboardPerson: offboard_person,
    MakeKey: make_key,
    RevokeKey: revoke_key,
    EndFamily: end_family,
    MakeStop: make_stop,
    LiftStop: lift_stop,
}
