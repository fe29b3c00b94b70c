"""What a refusal means, and what silence does: which failure it is, and whether the same request may be answered later.

Source for what is final and what may be tried again: docs/reference/cluster.md, after the apiserver's own
documentation of status reasons. A reason and causes decide; the text of a message never does.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from fleetctl.kube import answers, transport

__all__ = ["refused", "silent"]

_SILENCE: Final[dict[transport.Kind, tuple[answers.Kind, str]]] = {
    "refused": ("unreachable", "ConnectionRefused"),
    "no-route": ("unreachable", "NoRoute"),
    "unresolved": ("unreachable", "NameNotResolved"),
    "proxy": ("unreachable", "ProxyRefused"),
    "connect-timeout": ("unreachable", "ConnectTimeout"),
    "handshake-timeout": ("unreachable", "TLSHandshakeTimeout"),
    "timeout": ("unreachable", "ReadTimeout"),
    "stalled": ("unreachable", "AnswerStalled"),
    "slow": ("unreachable", "AnswerTooSlow"),
    "closed": ("unreachable", "ConnectionClosed"),
    "handshake": ("unreachable", "TLSHandshakeFailed"),
    "untrusted": ("tls", "CertificateNotTrusted"),
    "wrong-name": ("tls", "CertificateForAnotherName"),
    "expired": ("tls", "CertificateExpired"),
    "not-yet-valid": ("tls", "CertificateNotYetValid"),
    "client-certificate": ("credentials", "ClientCertificateUnusable"),
    "no-credential": ("credentials", "CredentialUnavailable"),
    "too-large": ("broken", "AnswerTooLarge"),
    "protocol": ("broken", "NotHTTP"),
}
_WORDS: Final[dict[transport.Kind, str]] = {
    "unresolved": "its name is not known",
    "closed": "the connection was closed",
    "untrusted": "its certificate is not signed by the authority that we know",
    "wrong-name": "its certificate is for another name",
    "expired": "its certificate has expired",
    "not-yet-valid": "its certificate is not valid yet, or our clock is slow",
}
_LARGEST: Final = 1 << 20
"""Bytes of a Status; what is larger is some other text."""
_LONGEST_WAIT: Final = 3600.0
_REASON: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")


class _Details(msgspec.Struct):
    kind: str = ""
    causes: tuple[answers.FieldCause, ...] = ()
    retryAfterSeconds: float = 0  # noqa: N815


class _Status(msgspec.Struct):
    kind: str = ""
    reason: str = ""
    message: str = ""
    details: _Details | None = None


def silent(broken: transport.Broken) -> answers.Failure:
    """Return the failure of a request that got no answer."""
    kind, reason = _SILENCE[broken.kind]
    return answers.Failure(
        kind,
        reason,
        _WORDS.get(broken.kind, answers.line(broken.message)),
        repeat="always" if kind == "unreachable" else "never",
    )


def refused(answer: transport.Answer, *, applying: bool = False) -> answers.Failure:
    """Return what a status other than success means."""
    said = _status(answer.body)
    details = said.details or _Details()
    kind, repeat = _meaning(answer.status, said, applying=applying)
    message = answers.line(said.message) or f"HTTP {answer.status}"
    if 300 <= answer.status < 400:
        message = f"HTTP {answer.status}: it sends us elsewhere, and no credential goes there"
    elif answer.status == 429 and answer.classified and not said.kind:
        # flowcontrol's own refusal is plain text; whatever it lets through to be refused by others is a Status.
        message = "the server's API Priority and Fairness turned it away: too many requests of its priority level"
    return answers.Failure(
        kind,
        said.reason if _REASON.fullmatch(said.reason) else f"HTTP{answer.status}",
        message,
        status=answer.status,
        causes=details.causes,
        about=details.kind,
        retry_after=answer.retry_after or min(max(details.retryAfterSeconds, 0.0), _LONGEST_WAIT) or None,
        repeat=repeat,
    )


def _meaning(status: int, said: _Status, *, applying: bool) -> tuple[answers.Kind, Literal["always", "once", "never"]]:
    match status:
        case 401:
            return "credentials", "never"
        case 403:
            causes = said.details.causes if said.details else ()
            if any(cause.reason == "NamespaceTerminating" for cause in causes):
                return "terminating", "always"
            return "forbidden", "never"
        case 404 | 410:
            return "missing", "never"
        case 409:
            return "conflict", "never"
        case 429:
            return "busy", "always"
        case 500 if said.reason in {"InternalError", "ServerTimeout"}:
            return "busy", "always"
        case 500 if applying and said.kind == "Status" and not said.reason:
            # A patch that cannot be typed; or a server that stumbled, which a second try shows.
            return "rejected", "once"
        case 500 | 502 | 503 | 504:
            return "busy", "always"
        case _:
            return "rejected", "never"


def _status(body: bytes) -> _Status:
    """Read a Status, as far as it is one: a server in front of the API may answer anything."""
    try:
        return msgspec.json.decode(body if len(body) <= _LARGEST else b"", type=_Status)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Status(message=body[: answers.LONGEST].decode("utf-8", "replace"))
