"""The shape of ``kind: Source``: where a source's records come from, and how they become sites."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Final, Literal, Self
from urllib import parse

import pydantic
import pydantic_core

from fleetctl.model import problems
from fleetctl.reading import scalars
from fleetctl.schema import fields, shapes, written

__all__ = [
    "Csv",
    "Exec",
    "Kubeconfig",
    "Lock",
    "LockSource",
    "Netbox",
    "NetboxNodes",
    "NetboxToken",
    "Query",
    "Source",
    "Taken",
    "Target",
    "target_fault",
]

_SITE: Final = (
    ("name",),
    ("state",),
    ("labels",),
    ("location", "lat"),
    ("location", "lon"),
    ("location", "timezone"),
    ("access", "ssh", "user"),
    ("access", "ssh", "port"),
    ("access", "ssh", "jump"),
    ("access", "ssh", "hostKey"),
    ("access", "kube", "via"),
    ("access", "kube", "proxy"),
    ("access", "kube", "kubeconfig"),
    ("cluster", "distribution"),
    ("cluster", "version"),
    ("cluster", "hardening"),
    ("cluster", "endpoint"),
    ("cluster", "config"),
    ("bundles",),
    ("window", "cron"),
    ("window", "duration"),
    ("vars",),
)
_NODE: Final = (
    ("node", "name"),
    ("node", "address"),
    ("node", "role"),
    ("node", "arch"),
    ("node", "labels"),
    ("node", "vars"),
)
_OPEN: Final = {("labels",): 1, ("node", "labels"): 1, ("vars",): 64, ("node", "vars"): 64, ("cluster", "config"): 64}
"""What people name the inside of, and how deep that goes: a label is one step, vars are a tree."""
_SORTS: Final = ("csv", "exec", "kubeconfig", "netbox")
_FIELDS: Final = (
    "name, state, labels.KEY, location.lat, cluster.version, access.ssh.user, bundles, vars.PATH, node.name, "
    "node.address, node.role and others (docs/reference/sources.md)"
)


def target_fault(text: str) -> str:
    """Check a field that a source may fill: a phrase that follows «"x" », or "" when nothing is wrong."""
    try:
        field = problems.parse_field(text)
    except ValueError:
        field = ()
    if field and not any(isinstance(step, int) for step in field):
        for one in (*_SITE, *_NODE):
            if field[: len(one)] == one and len(field) - len(one) <= _OPEN.get(one, 0):
                return ""
    near = scalars.did_you_mean(text, [problems.field_text(one) for one in (*_SITE, *_NODE)])
    return f"is no field of a site{near or f'; fields are {_FIELDS}'}"


def _target(text: str) -> str:
    if fault := target_fault(text):
        raise _fault(f'"{text}" {fault}')
    return text


def _fault(message: str, *below: str) -> pydantic_core.PydanticCustomError:
    return pydantic_core.PydanticCustomError("bad-value", "{said}", {"said": message, "below": below})


def _pattern(field: tuple[str, ...]) -> str:
    """Return what a schema takes for a field: each step plain, or in brackets, where a schema looks no further."""
    first, *more = (rf'(?:{step}|\[".*"\])' for step in field)
    inner = {0: "", 1: r"(?:\.[^.\[]+|\[.+\])?"}.get(_OPEN.get(field, 0), r"(?:[.\[].+)?")
    return "".join([first, *(rf"\.?{step}" for step in more)]) + inner


Target = Annotated[
    str,
    pydantic.AfterValidator(_target),
    written.Text("|".join(map(_pattern, (*_SITE, *_NODE))), "a field of a site"),
]
"""A field of a site, or of its nodes below ``node``, as ``explain`` takes paths."""

_Text = Annotated[str, pydantic.Field(min_length=1)]


def _one_of(*keys: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the rule of a schema that exactly one of these keys is given."""
    return {"oneOf": [{"required": [key], "properties": {key: given}} for key in keys]}


class Taken(shapes.Shape):
    """What a field is filled with; a text alone is ``from``."""

    from_: Annotated[_Text, pydantic.Field(alias="from")]
    type: Literal["text", "integer", "number", "boolean", "list", "flags"] | None = None
    values: dict[str, str] | None = None
    prefix: str = ""


def _spelled_out(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


_Map = dict[Target, Annotated[Taken, pydantic.BeforeValidator(_spelled_out, json_schema_input_type=_Text | Taken)]]


class Csv(shapes.Shape):
    """A table in a file: one row for each site, or for each node."""

    file: _Text
    delimiter: Literal[",", ";", "\t", "|"] = ","


class Exec(shapes.Shape):
    """A program that prints JSON."""

    command: Annotated[list[_Text], pydantic.Field(min_length=1)]
    env: list[_Text] = pydantic.Field(default=[])
    format: Literal["sites", "records", "ansible"] = "sites"
    timeout: fields.Span = "60s"


class Kubeconfig(shapes.Shape):
    """Contexts of a kubeconfig."""

    file: _Text
    contexts: list[_Text] = pydantic.Field(default=["*"])


class NetboxToken(shapes.Shape):
    """Where the token is; never the token itself."""

    model_config = pydantic.ConfigDict(json_schema_extra=_one_of("env", "file", given={"minLength": 1}))

    env: str = ""
    file: str = ""

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.env) == bool(self.file):
            raise _fault("a token needs env, the name of a variable, or file, a path; one of them")
        return self


Query = dict[str, Any]
"""Filters of NetBox's REST API, as they are: text, a number, true or false, or a list of these."""


def _query(value: Query) -> Query:
    for key, one in value.items():
        for item in one if isinstance(one, list) else [one]:
            if not isinstance(item, str | int | float):
                raise _fault("a filter is text, a number, true or false, or a list of these", key)
        if key in _OURS:
            raise _fault(f'"{key}" is set by fleetctl itself; take it out')
    return value


_OURS: Final = frozenset({"limit", "offset", "ordering", "fields", "brief", "exclude", "omit", "format"})
_PLAIN: Final = ["string", "number", "boolean"]
_Filter = Annotated[
    Query,
    pydantic.AfterValidator(_query),
    pydantic.WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"not": {"enum": sorted(_OURS)}},
            "additionalProperties": {"type": [*_PLAIN, "array"], "items": {"type": _PLAIN}},
        }
    ),
]
_LOCAL: Final = re.compile(r"localhost|.*\.localhost")


def _url(value: str) -> str:
    parts = parse.urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in value:
        raise _fault(f'"{value}" is not an address such as "https://netbox.example.com"')
    if parts.scheme == "http" and not _is_local(parts.hostname):
        raise _fault("a token must not travel unencrypted: use https:// (http:// is for this machine only)")
    return value


_Url = Annotated[
    str,
    pydantic.AfterValidator(_url),
    written.Text("[hH][tT][tT][pP][sS]?://[^@]+", 'an address such as "https://netbox.example.com"'),
]


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return _LOCAL.fullmatch(host) is not None


class NetboxNodes(shapes.Shape):
    """Which devices or virtual machines are nodes, and of which role."""

    from_: Annotated[Literal["devices", "virtual-machines"], pydantic.Field(alias="from")] = "devices"
    filter: _Filter = pydantic.Field(default={})
    role: Literal["server", "agent", "cloud", "edge"] = "server"


class Netbox(shapes.Shape):
    """Sites and devices of a NetBox."""

    url: _Url
    token: NetboxToken
    ca: str = ""
    sites: _Filter = pydantic.Field(default={})
    nodes: list[NetboxNodes] = pydantic.Field(default=[])
    timeout: fields.Span = "30s"
    page_size: Annotated[int, pydantic.Field(ge=1, le=1000)] = 500


class LockSource(shapes.Shape):
    """Which source a lock was made from."""

    name: fields.DnsLabel
    digest: str


class Lock(shapes.Shape):
    """kind: SourceLock; what ``inventory sync`` writes. Its sites are held to what files are held to."""

    api_version: Literal["fleetctl.dev/v1alpha1"]
    kind: Literal["SourceLock"]
    format: int
    source: LockSource
    inputs: dict[str, str]
    digest: str
    sites: list[shapes.Site]


class Source(shapes.Shape):
    """kind: Source; where sites come from, to be materialised by ``inventory sync``."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={
            **_one_of(*_SORTS, given={"type": "object"}),
            "if": {
                "required": ["exec"],
                "properties": {"exec": {"type": "object", "properties": {"format": {"const": "sites"}}}},
            },
            "then": {"properties": {"map": {"maxProperties": 0}}},
        }
    )

    api_version: Literal["fleetctl.dev/v1alpha1"]
    kind: str
    name: fields.DnsLabel
    csv: Csv | None = None
    exec: Exec | None = None
    kubeconfig: Kubeconfig | None = None
    netbox: Netbox | None = None
    map: _Map = pydantic.Field(default={})
    defaults: shapes.Layer = shapes.Layer()

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Self:
        given = [name for name in _SORTS if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"; here are {' and '.join(given)}" if given else ""
            raise _fault(f"a source is one of csv, exec, kubeconfig and netbox{said}")
        if self.exec is not None and self.exec.format == "sites" and self.map:
            message = 'a program with "format: sites" prints sites as they are; take map out, or set the format'
            raise _fault(message, "map")
        return self
