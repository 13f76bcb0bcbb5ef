"""The certificates to trust: the few roots that Apple and Google need, or all roots of the system."""

import ssl
from binascii import Error, a2b_base64
from functools import cache
from pathlib import Path

ROOTS = (
    b"USERTrust RSA Certification Authority",  # APNs, since 2025
    b"GTS Root R1",  # Google's own
    b"GTS Root R2",
    b"GTS Root R3",
    b"GTS Root R4",
    b"GlobalSign Root CA",  # Google's, cross-signed
)
"""Common names, as they appear in the certificates."""

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@cache
def few(ca_file: str) -> ssl.SSLContext:
    """Return a context with the roots of `ca_file`, or else of the system's roots those in ROOTS, which take
    a tenth of the time."""
    context = _context()
    if ca_file:
        context.load_verify_locations(ca_file)
        return context
    store = ssl.get_default_verify_paths().cafile
    roots = roots_in(Path(store).read_bytes()) if store else []
    if roots:
        context.load_verify_locations(cadata=b"".join(roots))
        return context
    return all_of("")


@cache
def all_of(ca_file: str) -> ssl.SSLContext:
    """Return a context with all roots, for a network that has changed its certificate authority."""
    if ca_file:
        return few(ca_file)
    context = _context()
    context.load_default_certs()
    return context


def roots_in(bundle: bytes) -> list[bytes]:
    """Return the roots of ROOTS from PEM, as DER. Names appear verbatim in DER, so no X.509 parser is
    needed."""
    found: list[bytes] = []
    for block in bundle.split(_BEGIN)[1:]:
        try:
            der = a2b_base64(block.partition(_END)[0])
        except Error:
            continue
        if any(name in der for name in ROOTS):
            found.append(der)
    return found


def _context() -> ssl.SSLContext:
    """PROTOCOL_TLS_CLIENT verifies the certificate and the host's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["h2"])
    return context
