import msgspec

from tests.torhaus.admin.hall import ALICE, rules
from tests.torhaus.admin.people.staff import ERIN
from torhaus.admin.people.owners import elsewhere, of_file
from torhaus.audit.acts import Act
from torhaus.model.person import Person

TRIED = Act(operation="person.changed")
FILED = msgspec.structs.replace(rules(), filed={ERIN: None})
OWN = Person(email=ERIN)


def test_the_file_owns_whom_it_has_and_whoever_has_no_other_owner() -> None:
    assert of_file(rules(), ALICE.email, None)
    assert of_file(rules(), ERIN, msgspec.structs.replace(OWN, owner="file"))
    assert of_file(FILED, ERIN, OWN)
    assert not of_file(rules(), ERIN, OWN)


def test_only_people_of_the_database_are_changed_here_and_others_are_told_where() -> None:
    assert elsewhere(rules(), ERIN, OWN, TRIED) is None
    pushed = elsewhere(rules(), ERIN, msgspec.structs.replace(OWN, owner="scim:okta"), TRIED)
    assert pushed is not None
    assert pushed.reason == "scim:okta says what this person may"
    filed = elsewhere(FILED, ERIN, OWN, TRIED)
    assert filed is not None
    assert filed.fix == "change users in the configuration"
