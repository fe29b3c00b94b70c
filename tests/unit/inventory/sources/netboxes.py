"""A NetBox as far as a source asks one: lists in pages, ordered by id, filtered, with the fields that are asked for.

It answers as NetBox's REST API is documented to: ``count``, ``next``, ``previous``, ``results`` by ``limit`` and
``offset``; 403 for a token that it does not know, whichever of the two forms it has.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib import parse

from tests.unit.web import serving

__all__ = ["NetBox", "device", "site"]

V1, V2 = "0123456789abcdef0123456789abcdef01234567", "nbt_1a2b3c4d5e6f.ThisIsTheSecretPartOfTheTokenAndItIsLong0"


def site(number: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Return a site as NetBox shows it."""
    return {
        "id": number,
        "url": f"https://netbox.example/api/dcim/sites/{number}/",
        "name": f"Store {number}",
        "slug": f"store-{number:05}",
        "status": {"value": "active", "label": "Active"},
        "region": {"id": 1, "name": "EU North", "slug": "eu-north"},
        "tenant": None,
        "latitude": 59.91,
        "longitude": 10.75,
        "time_zone": "Europe/Oslo",
        "tags": [{"id": 1, "name": "GPU", "slug": "gpu"}],
        "custom_fields": {"ring": "2", "terminals": 6, "note": None},
        **more,
    }


def device(number: int, at: int | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Return a device, or a virtual machine, as NetBox shows it."""
    return {
        "id": number,
        "name": f"store-{at}-N{number}",
        "site": None if at is None else {"id": at, "name": f"Store {at}", "slug": f"store-{at:05}"},
        "role": {"id": 3, "slug": "edge-server"},
        "primary_ip4": {"id": number, "address": f"10.0.{at or 0}.{number}/24"},
        "config_context": {"ntp": ["192.0.2.1"]},
        "custom_fields": {"arch": "arm64"},
        **more,
    }


class NetBox:
    """What is in it, what was asked, and how it misbehaves: ``before`` may answer a question itself, and say so."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        """Take ``sites``, ``devices`` and ``machines``."""
        self.lists = {
            "/api/dcim/sites/": lists.get("sites", []),
            "/api/dcim/devices/": lists.get("devices", []),
            "/api/virtualization/virtual-machines/": lists.get("machines", []),
        }
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.tokens: list[str] = []
        self.most = 1000
        self.before: Callable[[serving.Handler, int], bool] = lambda _, __: False

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve it; yields the address."""
        with serving.serving(self._answer) as base:
            yield base

    def _answer(self, handler: serving.Handler) -> None:
        url = parse.urlsplit(handler.path)
        query = parse.parse_qs(url.query)
        self.asked.append((url.path, query))
        self.tokens.append(handler.headers.get("Authorization", ""))
        if self.before(handler, len(self.asked)):
            return
        if self.tokens[-1] not in (f"Token {V1}", f"Bearer {V2}"):
            serving.answer(403, b'{"detail": "Invalid token"}')(handler)
        elif url.path not in self.lists:
            serving.answer(404, b'{"detail": "Not found."}')(handler)
        else:
            serving.answer(200, json.dumps(self._page(url.path, query)).encode())(handler)

    def _page(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        found = sorted((one for one in self.lists[path] if _passes(one, query)), key=lambda one: one["id"])
        limit = min(int(query.get("limit", ["50"])[0]), self.most)
        offset = int(query.get("offset", ["0"])[0])
        page = found[offset : offset + limit]
        fields = query["fields"][0].split(",")
        more = offset + limit < len(found)
        return {
            "count": len(found),
            "next": f"http://behind-a-proxy{path}?limit={limit}&offset={offset + limit}" if more else None,
            "previous": None,
            "results": [{key: one[key] for key in fields if key in one} for one in page],
        }


def _passes(one: dict[str, Any], query: dict[str, list[str]]) -> bool:
    """Filter by status, role and tag: any of the values, and for tags all of them."""
    wanted = query.get("tag", [])
    return (
        all(any(tag["slug"] == slug for tag in one.get("tags", [])) for slug in wanted)
        and ("status" not in query or one["status"]["value"] in query["status"])
        and ("role" not in query or one["role"]["slug"] in query["role"])
    )
