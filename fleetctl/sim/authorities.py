"""An authority for each simulated site, and the server certificate that it signs."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import ssl
import tempfile
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "new_key"]

_EARLIER: Final = dt.timedelta(hours=1)
_LATER: Final = dt.timedelta(days=30)
_LONG_AGO: Final = dt.timedelta(days=-1)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a private key; all servers of a fleet may share theirs."""
    return ec.generate_private_key(ec.SECP256R1())


class Authority:
    """A site's authority. ``context`` serves with a certificate of it, which is made when somebody connects.

    ``expired`` does so with one that ended yesterday.
    """

    def __init__(self, site: str, server_key: ec.EllipticCurvePrivateKey) -> None:
        self._key = new_key()
        self._server_key = server_key
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"simulated {site}"[:64])])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        made = _certificate(self._name, self._name, self._key.public_key()).add_extension(constraints, critical=True)
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        """What clients trust (PEM)."""
        self.context = self._serving(_LATER)

    @functools.cached_property
    def expired(self) -> ssl.SSLContext:
        """Return what serves with a certificate that has expired."""
        return self._serving(_LONG_AGO)

    def _serving(self, until: dt.timedelta) -> _Lazy:
        context = _Lazy(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0  # nobody comes back with one
        context.load = functools.partial(self._load, until=until)
        return context

    def _load(self, context: ssl.SSLContext, until: dt.timedelta) -> None:
        """Give a context the server's certificate and key."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        names = x509.SubjectAlternativeName([here, x509.DNSName("localhost")])
        leaf = _certificate(subject, self._name, self._server_key.public_key(), until).add_extension(
            names, critical=False
        )
        pem = leaf.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        secret = self._server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with tempfile.NamedTemporaryFile() as file:  # Python's ssl takes files only; this one is for its owner
            file.write(pem + secret)
            file.flush()
            context.load_cert_chain(file.name)


class _Lazy(ssl.SSLContext):
    """A context that is finished when it is used first: of a thousand sites, a run may look at ten."""

    load: Any = None

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401  # as they are
        """Begin a connection."""
        if self.load is not None:
            load, self.load = self.load, None
            load(self)
        return super().wrap_bio(*args, **options)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: dt.timedelta = _LATER
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + until) - _EARLIER)
        .not_valid_after(now + until)
    )
