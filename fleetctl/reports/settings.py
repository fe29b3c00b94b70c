"""Settings for machines."""

from __future__ import annotations

from collections.abc import Iterable

from fleetctl.model import settings
from fleetctl.reports import envelopes

__all__ = ["setting_list"]


def setting_list(found: Iterable[settings.Setting]) -> dict[str, object]:
    """Return settings with their flags, their variables and where each value is from."""
    flags = {flag.name: flag for flag in (settings.PROJECT, *settings.FLAGS)}
    return {
        "apiVersion": envelopes.API_VERSION,
        "kind": "SettingList",
        "items": [
            {
                "name": one.name,
                "value": one.value,
                "unit": flags[one.name].unit,
                "flag": flags[one.name].flag,
                "variable": flags[one.name].variable,
                "layer": one.layer.value,
                "place": one.place,
            }
            for one in found
        ],
    }
