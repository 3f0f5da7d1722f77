from collections.abc import Iterator

import pytest

from tests.torhaus.signin.slapd import Slapd, group, person, slapd

WEIRD = "we*ird,(x)"


@pytest.fixture(scope="package")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd")) as found:
        found.add(
            person(WEIRD, "mail: weird@example.test", named="we*ird\\,(x)"),
            person("twin", "mail: twin1@example.test", named="twin"),
            person("two", "mail: a@example.test", "mail: b@example.test"),
            group("admins", "bob", below="ou=people,dc=example,dc=test"),
            "dn: ou=away,dc=example,dc=test\nobjectClass: referral\nobjectClass: extensibleObject\n"
            "ou: away\nref: ldap://127.0.0.1:9/ou=people,dc=evil,dc=test\n",
        )
        yield found
