"""What a look at a release asks of a cluster, beside the objects themselves."""

import asyncio
import types
from typing import Any

import msgspec
import pytest

from fleetctl.kube import kinds
from fleetctl.model import objects, outcomes, plans, releases
from fleetctl.rollout import applying, observing

_BODY = b'{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"shop"}}'


class _Api:
    """Serves one object of a kind, with a status or without."""

    def __init__(self, *names: str) -> None:
        self.resources = kinds.Resources(self)
        self._names = names

    async def get_raw(self, path: str) -> bytes:
        """Answer discovery, or return the object."""
        if path == "/apis/example.com/v1":
            served = [{"name": name, "kind": "Widget", "namespaced": True} for name in self._names]
            return msgspec.json.encode({"resources": served})
        assert path == "/apis/example.com/v1/namespaces/shop/widgets/w"
        return _BODY


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (("widgets", "widgets/status"), outcomes.State.PROGRESSING),
        (("widgets",), outcomes.State.CURRENT),
    ],
)
def test_only_a_declared_status_is_waited_for(names: tuple[str, ...], state: outcomes.State) -> None:
    """A custom resource whose kind has no status is well as soon as it was applied."""
    one = releases.RenderedObject(objects.ObjectId("example.com", "Widget", "shop", "w"), _BODY, "w.yaml")
    release: Any = types.SimpleNamespace(objects=(one,))
    order: Any = types.SimpleNamespace(strategy=plans.Strategy(), options=plans.Options())
    api: Any = _Api(*names)
    seen = asyncio.run(observing.look(api, applying.Applied(release, "set"), order))
    assert seen.state is state
