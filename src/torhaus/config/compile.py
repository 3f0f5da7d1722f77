"""From the schema to what the house works with: `Settings` and `Rules`."""

from collections.abc import Mapping
from pathlib import Path as FilePath

from torhaus.config.addresses import is_loopback
from torhaus.config.people import people
from torhaus.config.schema import File
from torhaus.config.settings import Settings
from torhaus.config.tree import Source
from torhaus.config.upstreams import digest_of, server
from torhaus.model.rules import Rules


def settings(file: File, data_dir: FilePath | None) -> Settings:
    """What is read once. `data_dir`, from the command line, goes before the file's."""
    server = file.server
    return Settings(
        host=server.host,
        port=server.port,
        public_url=server.public_url,
        allowed_hosts=tuple(server.allowed_hosts),
        allowed_origins=tuple(server.allowed_origins),
        plaintext=server.plaintext,
        max_body=server.max_body,
        metrics_networks=server.metrics_networks,
        data_dir=FilePath(server.data_dir) if data_dir is None else data_dir,
        durability=file.audit_logs.durability,
        audit_flush=file.audit_logs.flush,
        timezone=server.timezone,
    )


def rules(source: Source, file: File, environ: Mapping[str, str]) -> Rules:
    """The rules the file states. Mistakes go to `source.problems`, doubts to `source.warnings`."""
    servers = {name: server(source, name, spec, environ) for name, spec in file.mcpServers.items()}
    who = people(source, file)
    _doubts(source, file)
    parts = [source.text, *(one.credential for one in servers.values()), *map(bytes.hex, who.keys)]
    return Rules(
        version=digest_of("torhaus rules", parts)[:16],
        servers=servers,
        keys=who.keys,
        anonymous=who.anonymous,
        principals=who.principals,
        metrics_networks=file.server.metrics_networks,
    )


def _doubts(source: Source, file: File) -> None:
    auth = file.auth
    if auth.provider is not None or auth.oauth is not None:
        message = "sign-in arrives with the identity work; keys work now"
        source.warn(("auth", "provider"), message, "give users api_keys until then")
    if auth.provider is not None and auth.oauth is None:
        source.error(("auth", "provider"), "there is no oauth block", "add auth.oauth")
    if auth.anonymous is None and not any(user.api_keys for user in file.users):
        message = "nobody can call: no user has a key and anonymous access is off"
        source.warn(("users",), message, 'add users with api_keys: ["${FIRST_KEY}"]')
    if not file.mcpServers:
        source.warn(("mcpServers",), "no server is configured", "add one under mcpServers")
    outside = not is_loopback(file.server.host)
    if outside and file.server.public_url is None and not file.server.allowed_hosts:
        message = "Torhaus listens beyond this machine and answers to any Host name"
        source.warn(("server", "host"), message, "set server.public_url or server.allowed_hosts")
    if outside and file.server.plaintext == "any":
        message = "keys may cross public networks unencrypted"
        source.warn(("server", "plaintext"), message, "put TLS in front, and use private")
