"""Shapes of a strategy's gates and windows: what must hold before the next wave, and when sites may be changed."""

from __future__ import annotations

import re
import urllib.parse
from typing import Annotated, Any, Final, Self

import pydantic
import pydantic_core

from fleetctl.model import gates, problems, secretrefs
from fleetctl.schema import bundleparts, fields, written

__all__ = ["Approval", "Asked", "ExecGate", "Gate", "HealthGate", "HttpGate", "Opening", "PromqlGate"]

_URL: Final = re.compile(r"https?://[^\s/?#@\\]+(?:[/?][^\s#]*)?")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HOME: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_COMMAND: Final = 100


def _fault(message: str) -> pydantic_core.PydanticCustomError:
    return pydantic_core.PydanticCustomError("bad-value", "{said}", {"said": message})


def _url(value: str) -> str:
    try:
        parts = urllib.parse.urlsplit(value)
        sound = bool(_URL.fullmatch(value) and parts.hostname and (parts.port is None or parts.port))
    except ValueError:
        sound = False
    if not sound:
        # Not quoted: there may be a password in it.
        message = "expected an http:// or https:// address; a user name and password have no place in it"
        raise _fault(message)
    return value


def _reference(value: dict[str, Any]) -> dict[str, Any]:
    if not secretrefs.is_reference(value):
        message = "expected a reference such as {secretRef: {provider: env, key: GATE_TOKEN}}"
        raise _fault(message)
    for fault in secretrefs.faults(value):
        below = problems.field_text(fault.field)
        raise _fault(f"{below}: {fault.message}")
    return value


def _header(value: str | dict[str, Any]) -> str | dict[str, Any]:
    if isinstance(value, dict):
        return _reference(value)
    if not value.isprintable() or not value.isascii():
        message = f'"{value}" cannot be sent as a header: printable ASCII only'
        raise _fault(message)
    return value


def _header_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        message = f'"{value}" is no name of a header'
        raise _fault(message)
    return value


def _condition(value: str) -> str:
    if not gates.CONDITION.fullmatch(value):
        message = f'"{value}" is no condition such as "<= 0.01" (<, <=, >, >=, ==, !=, and a number)'
        raise _fault(message)
    return value


def _words(value: list[str]) -> list[str]:
    if not value or not all(value) or len(value) > _LONGEST_COMMAND or any("\0" in word for word in value):
        message = "expected a program and its words, such as [./smoke.sh, --fast]; no shell takes part"
        raise _fault(message)
    return value


def _some(value: str) -> str:
    if not fields.seconds_of(value):
        message = f'"{value}" is no time at all'
        raise _fault(message)
    return value


_Url = Annotated[str, pydantic.AfterValidator(_url), written.Text(_URL, "an http:// or https:// address")]
_Reference = Annotated[dict[str, Any], pydantic.AfterValidator(_reference)]
_HeaderName = Annotated[str, pydantic.AfterValidator(_header_name)]
_HeaderValue = Annotated[str | dict[str, Any], pydantic.AfterValidator(_header)]
_Time = Annotated[fields.Span, pydantic.AfterValidator(_some)]


class Opening(bundleparts.Part):
    """When sites may be changed, in their own time zones."""

    cron: fields.Cron
    duration: fields.Duration


class Asked(bundleparts.Part):
    """What a request is made of."""

    url: _Url
    headers: dict[_HeaderName, _HeaderValue] = pydantic.Field(default_factory=dict)
    bearer: _Reference | None = None
    timeout: _Time = "10s"

    @pydantic.model_validator(mode="after")
    def _safe(self) -> Self:
        """Send no secret where anybody on the way can read it, and none twice."""
        names = [name.lower() for name in self.headers]
        if len(set(names)) < len(names) or (self.bearer is not None and "authorization" in names):
            message = "a header is sent once, and bearer is the header Authorization"
            raise _fault(message)
        secret = self.bearer is not None or any(isinstance(value, dict) for value in self.headers.values())
        parts = urllib.parse.urlsplit(self.url)
        if secret and parts.scheme != "https" and parts.hostname not in _HOME:
            message = "a secret is sent over https:// only"
            raise _fault(message)
        return self


class HttpGate(Asked):
    """A GET request that must be answered with one of some statuses; redirects are not followed."""

    status: Annotated[list[Annotated[int, pydantic.Field(ge=100, le=599)]], pydantic.Field(min_length=1)] | None = None


class PromqlGate(Asked):
    """A query to a Prometheus whose every value must meet a condition; ``url`` is what its API lies below."""

    query: Annotated[str, pydantic.Field(min_length=1)]
    condition: Annotated[
        str, pydantic.AfterValidator(_condition), written.Text(gates.CONDITION, 'a condition such as "<= 0.01"')
    ]

    @pydantic.field_validator("url")
    @classmethod
    def _base(cls, value: str) -> str:
        """Take the address without a query of its own."""
        if "?" in value or value.rstrip("/").endswith("/api/v1/query"):
            message = f'"{value}" is more than the address of a Prometheus: leave out what comes from /api on'
            raise _fault(message)
        return value


class ExecGate(bundleparts.Part):
    """A program that must end with 0; it runs in the project's folder, without a shell."""

    command: Annotated[list[str], pydantic.AfterValidator(_words)]
    timeout: _Time = "60s"


class HealthGate(bundleparts.Part):
    """Such a part of the wave's sites must be as the run wants them."""

    percent: Annotated[float, pydantic.Field(gt=0, le=100)] = 100.0


class Approval(bundleparts.Part):
    """A person's word."""


class Gate(bundleparts.Part):
    """What must hold before the next wave."""

    name: fields.DnsLabel
    after: Annotated[list[str], pydantic.Field(min_length=1)] | None = None
    health: HealthGate | None = None
    http: HttpGate | None = None
    promql: PromqlGate | None = None
    exec: ExecGate | None = None
    approval: Approval | None = None
    hold: Annotated[fields.Span, pydantic.Field(alias="for")] = "0s"
    interval: _Time = "10s"
    failures: Annotated[int, pydantic.Field(ge=0, le=1000)] = 0

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> Self:
        """Hold a gate to exactly one way of asking; an approval is not asked again and again."""
        kinds = (self.health, self.http, self.promql, self.exec, self.approval)
        if sum(one is not None for one in kinds) != 1:
            message = "a gate has exactly one of health, http, promql, exec and approval"
            raise _fault(message)
        if self.approval is not None and self.model_fields_set & {"hold", "interval", "failures"}:
            message = "an approval is given, not asked for: leave out for, interval and failures"
            raise _fault(message)
        return self
