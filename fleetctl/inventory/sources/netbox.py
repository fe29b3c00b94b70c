"""NetBox: its sites, and the devices and virtual machines at them, in as few questions as its pages allow.

Source: NetBox's "REST API" and "Filtering" pages. Lists come in pages (``limit``, ``offset``; at most 1,000 unless the
operator of the NetBox says otherwise), ordered by ``id`` so that pages do not shift when something is renamed.
``fields`` leaves out what nobody asked for (since 4.0, ignored before), ``exclude=config_context`` what takes long. A
token of version 2 begins with ``nbt_`` and goes behind ``Bearer``, one of version 1 behind ``Token``.
"""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib import parse

import msgspec

from fleetctl.inventory.sources import mapping, records
from fleetctl.model import codes, problems, values
from fleetctl.schema import fields, sources
from fleetctl.web import fetching

__all__ = ["gather"]

_STATES: Final = {
    "active": "active",
    "planned": "planned",
    "staging": "planned",
    "decommissioning": "maintenance",
    "retired": "retired",
}
_MAP: Final[dict[str, str | dict[str, Any]]] = {
    "name": "slug",
    "state": {"from": "status.value", "values": _STATES},
    "labels.region": "region.slug",
    "labels.tenant": "tenant.slug",
    "location.lat": "latitude",
    "location.lon": "longitude",
    "location.timezone": "time_zone",
    "node.name": "name",
    "node.address": "primary_ip4.address",
    "node.role": "role_at_site",
}
_SITES: Final = "dcim/sites"
_PATHS: Final = {"devices": "dcim/devices", "virtual-machines": "virtualization/virtual-machines"}
_ROLE: Final = "role_at_site"
"""What we add to a device: the role that the source gives it."""
_ROUNDS: Final = 3
"""How often a list is read anew when it changes while it is read."""
_TRIES: Final = 5
_LONGEST_WAIT: Final = 60
_BUSY: Final = frozenset({429, 503})


def gather(
    source: sources.Netbox,
    own: Mapping[str, sources.Taken],
    folder: pathlib.Path,
    mark: problems.Mark,
    pause: Callable[[float], None] = time.sleep,
) -> records.Gathered:
    """Return the sites that a NetBox has; ``mark`` is where the source stands. Raises ``Failed``."""
    by = mapping.rules(_MAP, own)
    token = _token(source.token, folder, mark)
    kind = "Bearer" if token.startswith("nbt_") else "Token"
    try:
        client = fetching.Client(
            f"{source.url.rstrip('/')}/api",
            {"Authorization": f"{kind} {token}", "Accept": "application/json"},
            authority=str(folder / pathlib.Path(source.ca).expanduser()) if source.ca else None,
            timeout=fields.seconds_of(source.timeout),
        )
    except fetching.FetchError as error:
        raise records.one(codes.Code.SOURCE_UNREACHABLE, error.message, mark, ("netbox",)) from None
    with client:
        asking = _Asking(client, source, mark, pause)
        found = asking.all(_SITES, source.sites, _wanted(by, node=False))
        hosts: dict[int, dict[str, records.Record]] = {}
        strangers = 0
        known = {one["id"] for one in found}
        for one in source.nodes:
            for host in asking.all(_PATHS[one.from_], one.filter, _wanted(by, node=True)):
                site = host.get("site")
                at = site.get("id") if isinstance(site, dict) else None
                if not isinstance(at, int) or at not in known:
                    strangers += 1
                    continue
                place = asking.place(_PATHS[one.from_], host)
                # Two filters may find one device; the first says what it is.
                hosts.setdefault(at, {}).setdefault(place.path, records.Record(place, {**host, _ROLE: one.role}))
    made = [
        records.Record(asking.place(_SITES, one), one, tuple(_by_name(hosts.get(one["id"], {}).values())))
        for one in found
    ]
    gathered = mapping.sites(made, by)
    if strangers:
        gathered.notes.append(f"{strangers:,} devices are at no site, or at one that was not asked for; left out")
    return gathered


def _by_name(found: Any) -> list[records.Record]:  # noqa: ANN401  # values of a dict
    return sorted(found, key=lambda one: (str(one.data.get("name")), one.mark))


def _token(source: sources.NetboxToken, folder: pathlib.Path, mark: problems.Mark) -> str:
    """Return the token; what is wrong with it is said without it."""
    field: problems.Field = ("netbox", "token", "env" if source.env else "file")
    if source.env:
        token, named = os.environ.get(source.env, ""), f"the variable {source.env}"
    else:
        path = folder / pathlib.Path(source.file).expanduser()
        named = f"the file {source.file}"
        try:
            token = path.read_bytes().decode("ascii", "replace")
        except OSError as error:
            message = f"{named} cannot be read: {error.strerror}"
            raise records.one(codes.Code.SOURCE_NO_TOKEN, message, mark, field) from None
    token = token.strip()
    if not token:
        message = f"{named} is {'not set' if source.env and source.env not in os.environ else 'empty'}"
        raise records.one(codes.Code.SOURCE_NO_TOKEN, message, mark, field)
    if not token.isascii() or not token.isprintable() or " " in token:
        message = f"{named} holds blanks, line breaks or other signs that no token has"
        raise records.one(codes.Code.SOURCE_NO_TOKEN, message, mark, field)
    return token


def _wanted(by: Sequence[mapping.Rule], *, node: bool) -> set[str]:
    """Return the fields of a device, or of a site, that rules look at; ``id`` and a device's site we need ourselves."""
    found = {str(rule.path[0]) for rule in by if (rule.target[0] == "node") is node}
    return (found - {_ROLE}) | ({"id", "site", "name"} if node else {"id"})


class _Asking:
    """The conversation with one NetBox."""

    def __init__(
        self, client: fetching.Client, source: sources.Netbox, mark: problems.Mark, pause: Callable[[float], None]
    ) -> None:
        self._client = client
        self._source = source
        self._mark = mark
        self._pause = pause

    def place(self, path: str, one: Mapping[str, Any]) -> problems.Mark:
        """Return where people find a thing: its page."""
        return problems.Mark(f"{self._source.url.rstrip('/')}/{path}/{one['id']}/")

    def all(self, path: str, query: Mapping[str, Any], wanted: set[str]) -> list[dict[str, Any]]:
        """Return a whole list, ordered by id; raises ``Failed``."""
        for _ in range(_ROUNDS):
            listed = self._round(path, query, wanted)
            if listed is not None:
                return listed
        raise self._broken(path, f"the list changed while it was read, {_ROUNDS} times; try again")

    def _round(self, path: str, query: Mapping[str, Any], wanted: set[str]) -> list[dict[str, Any]] | None:
        """Read all pages once; None when things came or went meanwhile, so that some may be missing or there twice."""
        listed: dict[int, dict[str, Any]] = {}
        count: int | None = None
        while True:
            page = self._page(path, query, wanted, len(listed))
            total, results = self._checked(path, page)
            before = len(listed)
            listed |= {one["id"]: one for one in results}
            if count not in (None, total) or len(listed) != before + len(results) or len(listed) > total:
                return None
            count = total
            if not page.get("next"):
                return list(listed.values()) if len(listed) == total else None
            if not results:
                raise self._broken(path, "a page is empty, and not the last one")

    def _page(self, path: str, query: Mapping[str, Any], wanted: set[str], offset: int) -> dict[str, Any]:
        asked = {
            **query,
            "limit": self._source.page_size,
            "offset": offset,
            "ordering": "id",
            "fields": ",".join(sorted(wanted)),
        }
        if "config_context" not in wanted and path != _SITES:
            asked["exclude"] = "config_context"
        text = parse.urlencode(list(_pairs(asked)))
        for tried in range(1, _TRIES + 1):
            try:
                page = _read(self._client.ask(f"{path}/?{text}"))
            except fetching.FetchError as error:
                if error.status not in _BUSY or tried == _TRIES:
                    raise self._failed(path, error) from None
                self._pause(min(error.retry_after or 2**tried, _LONGEST_WAIT))
            else:
                if isinstance(page, dict):
                    return page
                raise self._broken(path, f"expected a map, got {values.kind_of(page)}")
        raise AssertionError  # the last try returns or raises

    def _checked(self, path: str, page: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
        total, results = page.get("count"), page.get("results")
        if not isinstance(total, int) or not isinstance(results, list):
            raise self._broken(path, "it is no list of NetBox: count or results are missing")
        if not all(isinstance(one, dict) and isinstance(one.get("id"), int) for one in results):
            raise self._broken(path, "something in it has no id")
        return total, results

    def _failed(self, path: str, error: fetching.FetchError) -> records.Failed:
        where, field = f"{self._source.url}/api/{path}/", ("netbox", "url")
        if error.failure == "refused":
            message = f"{where} says {error.message}: the token is wrong, has expired, or may not see this"
            return records.one(codes.Code.SOURCE_REFUSED, message, self._mark, ("netbox", "token"))
        if 300 <= error.status < 400:
            message = (
                f"{where} redirects ({error.message}), and a token must not travel along; give the address it leads to"
            )
            return records.one(codes.Code.SOURCE_BAD_ANSWER, message, self._mark, field)
        if error.failure in ("unreachable", "untrusted"):
            return records.one(codes.Code.SOURCE_UNREACHABLE, f"{where}: {error.message}", self._mark, field)
        return records.one(codes.Code.SOURCE_BAD_ANSWER, f"{where}: {error.message}", self._mark, field)

    def _broken(self, path: str, message: str) -> records.Failed:
        where = f"{self._source.url}/api/{path}/"
        return records.one(codes.Code.SOURCE_BAD_ANSWER, f"{where}: {message}", self._mark, ("netbox", "url"))


def _read(answer: fetching.Answer) -> object:
    """Read JSON strictly: no NaN, no halves of characters, which no lock file could hold."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise fetching.FetchError("broken", "the answer is not JSON", answer.status) from None


def _pairs(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in query.items():
        for one in value if isinstance(value, list) else [value]:
            yield key, values.text_of(one)
