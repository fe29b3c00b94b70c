"""What libcurl's failures mean to whoever reads of them: whose fault it is, and where it lies."""

from __future__ import annotations

import errno
import os
from typing import Any, Final

import pycurl

from fleetctl.kube import transport

__all__ = ["meaning"]

# libcurl's reasons -> ours; what is not here is a broken conversation. The two numbers are CURLE_PROXY, for which
# pycurl has no name, and CURLE_TOO_LARGE, libcurl's own limit for headers.
_KINDS: Final[dict[int, transport.Kind]] = {
    pycurl.E_COULDNT_CONNECT: "refused",
    pycurl.E_COULDNT_RESOLVE_HOST: "unresolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "unresolved",
    97: "proxy",
    pycurl.E_GOT_NOTHING: "closed",
    pycurl.E_SEND_ERROR: "closed",
    pycurl.E_RECV_ERROR: "closed",
    pycurl.E_PARTIAL_FILE: "closed",
    pycurl.E_SSL_CONNECT_ERROR: "handshake",
    pycurl.E_PEER_FAILED_VERIFICATION: "untrusted",
    pycurl.E_SSL_CACERT_BADFILE: "untrusted",
    pycurl.E_SSL_ISSUER_ERROR: "untrusted",
    pycurl.E_SSL_CERTPROBLEM: "client-certificate",
    pycurl.E_BAD_FUNCTION_ARGUMENT: "client-certificate",  # a key that cannot be read
    pycurl.E_FILESIZE_EXCEEDED: "too-large",
    100: "too-large",
}

# OpenSSL's verdict on the chain (X509_V_ERR_*), where it says more than that. libcurl compares names itself, and
# leaves the verdict at what it was before (1).
_VERDICTS: Final[dict[int, transport.Kind]] = {
    0: "wrong-name",
    1: "wrong-name",
    9: "not-yet-valid",
    10: "expired",
    62: "wrong-name",
}


def meaning(handle: Any, number: int, message: str) -> tuple[transport.Kind, str]:  # noqa: ANN401  # pycurl's
    """Return what a failed transfer's error says, in our terms and in words."""
    kind = _KINDS.get(number, "protocol")
    words = message or f"libcurl error {number}"
    if kind == "refused" and handle.getinfo(pycurl.HTTP_CONNECTCODE) >= 300:
        kind = "proxy"
    elif kind == "refused":
        kind, words = _unconnected(handle.getinfo(pycurl.OS_ERRNO), words)
    elif kind == "too-large":
        words = "the answer is larger than any that is taken"
    elif number == pycurl.E_RECV_ERROR and "chunk" in words:  # it has no number for bytes that are no chunk
        kind = "protocol"
    elif number == pycurl.E_PEER_FAILED_VERIFICATION:
        kind = _VERDICTS.get(handle.getinfo(pycurl.SSL_VERIFYRESULT), kind)
    return kind, words


def _unconnected(number: int, message: str) -> tuple[transport.Kind, str]:
    """Tell a port that is shut from a road that is closed, and both from trouble of our own such as EMFILE."""
    if number == errno.ECONNREFUSED:
        return "refused", "nothing listens there"
    if number == errno.ETIMEDOUT:
        return "connect-timeout", "no connection: the system gave up"
    return "no-route", f"no connection: {os.strerror(number)}" if number else message
