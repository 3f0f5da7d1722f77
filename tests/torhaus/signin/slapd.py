"""A real OpenLDAP on loopback, with people, groups, and a certificate of an authority of ours."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.torhaus.upstream.certificates import authority

BASE = "dc=example,dc=test"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
SEARCH, WORD = f"cn=torhaus,{BASE}", "word-of-the-search"
ADMIN = ("-x", "-D", f"cn=admin,{BASE}", "-w", "admin-word")

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/{certificate}
TLSCertificateKeyFile {folder}/{certificate}
disallow bind_anon
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw admin-word
directory {folder}/db
maxsize 33554432
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
TREE = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example

dn: {PEOPLE}
objectClass: organizationalUnit

dn: {GROUPS}
objectClass: organizationalUnit

dn: {SEARCH}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {WORD}
"""


def person(uid: str, *more: str, named: str = "") -> str:
    lines = (
        f"dn: uid={named or uid},{PEOPLE}",
        "objectClass: inetOrgPerson",
        f"cn: {uid}",
        f"sn: {uid}",
        f"userPassword: {uid}-word",
        *(more or (f"mail: {uid}@example.test", f"displayName: {uid.title()}")),
    )
    return "\n".join((*lines, f"uid: {uid}")) + "\n"


def group(name: str, *uids: str, below: str = GROUPS) -> str:
    members = "".join(f"member: uid={uid},{PEOPLE}\n" for uid in uids)
    return f"dn: cn={name},{below}\nobjectClass: groupOfNames\n{members}"


@dataclass
class Slapd:
    folder: Path
    plain: int
    tls: int

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def add(self, *entries: str) -> None:
        self._tool("ldapadd", "\n".join(entries))

    def modify(self, text: str) -> None:
        self._tool("ldapmodify", text)

    def delete(self, dn: str) -> None:
        self._tool("ldapdelete", dn + "\n")

    def _tool(self, name: str, text: str) -> None:
        command = [name, *ADMIN, "-H", f"ldap://127.0.0.1:{self.plain}"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


@contextlib.contextmanager
def slapd(folder: Path, certificate: str = "localhost") -> Iterator[Slapd]:
    """Skips where Debian's slapd is not installed."""
    program = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin")
    if program is None or shutil.which("ldapadd") is None:
        pytest.skip("no OpenLDAP here: apt-get install slapd ldap-utils")
    (folder / "db").mkdir()
    ours = authority(folder)
    ours.server(certificate)
    settings = {"folder": folder, "base": BASE, "certificate": f"{certificate}30.pem"}
    (folder / "slapd.conf").write_text(CONFIG.format(**settings))
    found = Slapd(folder, free_port(), free_port())
    urls = f"ldap://127.0.0.1:{found.plain} ldaps://127.0.0.1:{found.tls}"
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [program, "-f", str(folder / "slapd.conf"), "-h", urls, "-d", "0"], stdout=log, stderr=log
    )
    try:
        _wait(process, found, folder / "log")
        found.add(TREE, person("alice"), person("bob"), group("developers", "alice"))
        yield found
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen[bytes], found: Slapd, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", found.tls)) == 0:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
