"""Verified TLS, for what the store connects to."""

import ssl

from torhaus.model.tls import Tls


def context(tls: Tls) -> ssl.SSLContext:
    """Raises OSError (ssl.SSLError among them) for files that cannot be used."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca_file is not None:
        made.load_verify_locations(tls.ca_file)
    if tls.cert_file is not None:
        made.load_cert_chain(tls.cert_file, tls.key_file)
    return made
