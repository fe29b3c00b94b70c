"""Shapes of what bundle.yaml says about running the bundle: what it requires, how large and how healthy it is."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

import pydantic
import pydantic_core
from pydantic.alias_generators import to_camel

from fleetctl.model import labels, quantities, sites, versions
from fleetctl.schema import fields

__all__ = ["STRICT", "ExecProbe", "Health", "HttpProbe", "Part", "Probe", "PromqlProbe", "Prune", "Requires", "Size"]

STRICT: Final = pydantic.ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, frozen=True)
"""How all shapes of our files read: every key is known, every type is strict."""


def _fault(message: str) -> pydantic_core.PydanticCustomError:
    return pydantic_core.PydanticCustomError("bad-value", "{said}", {"said": message})


def _range(value: str) -> str:
    try:
        versions.parse(value)
    except versions.RangeError as error:
        message = f'"{value}" {error}'
        raise _fault(message) from None
    return value


def _quantity(value: str) -> str:
    try:
        quantities.amount(value)
    except quantities.QuantityError as error:
        message = f'"{value}" {error}'
        raise _fault(message) from None
    return value


def _unique(value: list[str]) -> list[str]:
    twice = next((one for index, one in enumerate(value) if one in value[:index]), None)
    if twice is not None:
        message = f'"{twice}" stands twice in this list'
        raise _fault(message)
    return value


def _filled(value: list[str] | str) -> list[str] | str:
    if not value:
        message = "nothing stands here; say at least one thing, or leave the key out"
        raise _fault(message)
    return value


def _path(value: str) -> str:
    if not value.startswith("/"):
        message = f'"{value}" is no path of a URL: it begins with "/"'
        raise _fault(message)
    return value


def _workload(value: str) -> str:
    kind, _, name = value.partition("/")
    if kind not in _WORKLOADS or labels.subdomain_fault(name):
        message = f'"{value}" is no workload such as "Deployment/gateway" ({", ".join(_WORKLOADS)})'
        raise _fault(message)
    return value


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_Range = Annotated[str, pydantic.AfterValidator(_range)]
_Quantity = Annotated[str, pydantic.AfterValidator(_quantity)]
_Unique = pydantic.AfterValidator(_unique)
_Filled = pydantic.AfterValidator(_filled)


class Part(pydantic.BaseModel):
    """What all shapes here share."""

    model_config = STRICT


class Requires(Part):
    """What a site must have; a site that has not is left out."""

    kubernetes: _Range | None = None
    arches: Annotated[list[sites.Architecture], _Filled, _Unique] | None = None
    bundles: Annotated[list[fields.DnsLabel], _Unique] = []


class Size(Part):
    """The sum of requests at one site."""

    cpu: _Quantity = "0"
    memory: _Quantity = "0"


class Prune(Part):
    """How much one run may delete at a site without being stopped: the larger of the two."""

    count: Annotated[int, pydantic.Field(ge=0)] = 5
    percent: Annotated[int, pydantic.Field(ge=0, le=100)] = 10


class HttpProbe(Part):
    """A request through the API server's proxy to a Service, which must be answered with 200 to 399."""

    service: fields.DnsLabel
    port: Annotated[int, pydantic.Field(ge=1, le=65535)]
    path: Annotated[str, pydantic.AfterValidator(_path)] = "/"
    scheme: Literal["http", "https"] = "http"


class PromqlProbe(Part):
    """A query that must give at least one value, none of them 0."""

    query: Annotated[str, _Filled]


class ExecProbe(Part):
    """A command in a container of the bundle's, which must end with 0."""

    workload: Annotated[str, pydantic.AfterValidator(_workload)]
    container: fields.DnsLabel = ""
    command: Annotated[list[str], _Filled]


class Probe(Part):
    """One thing beside the state of objects that says whether a site is healthy."""

    name: fields.DnsLabel
    http: HttpProbe | None = None
    promql: PromqlProbe | None = None
    exec: ExecProbe | None = None

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> Self:
        """Hold a probe to exactly one way of asking."""
        if sum(one is not None for one in (self.http, self.promql, self.exec)) != 1:
            message = "a probe has exactly one of http, promql and exec"
            raise _fault(message)
        return self


class Health(Part):
    """What makes a site healthy beside the usual, and what does not."""

    load_balancer: Literal["require", "ignore"] = "require"
    probes: list[Probe] = []
