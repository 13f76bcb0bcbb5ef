"""What a server's certificate is verified against: the few roots that Apple and Google need, or all."""

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
"""Common names, as they stand in the certificates."""

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@cache
def few(ca_file: str) -> ssl.SSLContext:
    """`ca_file`'s roots; without one, those of ROOTS that the system has, which take a tenth of the time."""
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
    """What to trust where the few do not suffice: one of the networks has changed its authority."""
    if ca_file:
        return few(ca_file)
    context = _context()
    context.load_default_certs()
    return context


def roots_in(bundle: bytes) -> list[bytes]:
    """Those of ROOTS, from PEM to DER, in which names stand as they are: no X.509 is read for that."""
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
    """PROTOCOL_TLS_CLIENT verifies the certificate and the name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["h2"])
    return context
