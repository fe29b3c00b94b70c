"""The order of a first visit to a site that nothing is known of."""

from fleetctl.model import plans
from fleetctl.rollout import orders

__all__ = ["order"]


def order(run: str, attempt: int = 1, bundle: str = "pos") -> orders.Order:
    """Return an order to bring a bundle to site s1."""
    return orders.Order(
        site="s1",
        run=run,
        attempt=attempt,
        project="shops",
        bundle=bundle,
        namespace="pos",
        kind=plans.Kind.ROLLOUT,
        wanted="r1:b",
        expected=None,
        checked=False,
        ours=frozenset({run}),
        installed=None,
        identity=None,
        strategy=plans.Strategy(),
        options=plans.Options(),
    )
