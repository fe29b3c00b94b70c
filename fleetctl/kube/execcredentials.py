"""What a credential plugin prints: an ExecCredential of the API ``client.authentication.k8s.io``."""

from __future__ import annotations

import datetime as dt

import msgspec

from fleetctl.kube import proofs, renewing, transport

__all__ = ["read"]


class _Status(msgspec.Struct, rename="camel"):
    expiration_timestamp: dt.datetime | None = None
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


def read(output: bytes, version: str) -> tuple[transport.Proof, float | None]:
    """Return the credential that a plugin printed and when it ends; raises ``Unusable``."""
    try:
        found = msgspec.json.decode(output, type=_ExecCredential)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise renewing.Unusable("what it printed is no ExecCredential") from None
    wanted = f"client.authentication.k8s.io/{version}"
    if found.kind != "ExecCredential" or found.api_version != wanted:
        raise renewing.Unusable(f"what it printed is no ExecCredential of {wanted}, which the kubeconfig asks for")
    status = found.status or _Status()
    certificate, key = status.client_certificate_data.encode(), status.client_key_data.encode()
    fault = proofs.fault_of_pair(certificate, key)
    if fault:
        raise renewing.Unusable(fault)
    if certificate and not (proofs.is_certificate(certificate) and proofs.is_key(key)):
        raise renewing.Unusable("the client certificate or key that it printed is not PEM")
    if not proofs.is_token(status.token):
        raise renewing.Unusable("its token holds blanks, line breaks or other signs that no token has")
    if not status.token and not certificate:
        raise renewing.Unusable("it printed neither a token nor a client certificate")
    end = status.expiration_timestamp
    if end is not None and end.tzinfo is None:
        raise renewing.Unusable("its expirationTimestamp has no time zone")
    return transport.Proof(status.token, certificate, key), None if end is None else end.timestamp()
