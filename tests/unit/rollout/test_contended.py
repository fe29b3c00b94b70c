"""Objects that others change at the very moment: looked at again five times, then the site fails by that."""

import pathlib

import pytest

from fleetctl.model import outcomes, plans
from fleetctl.rollout import accounts, applying
from fleetctl.sim import objects, replies
from tests.unit.rollout import shops

_STRATEGY = plans.Strategy(waves=(plans.WaveRule(),), site_timeout=10.0, soak=0.0)


def _contend(shop: shops.Shops, what: str, times: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Refuse so many requests for an object as a server does whose object was changed meanwhile; note which came."""
    cluster, said = shop.fleet.servers["s1"].cluster, []
    answer = cluster.answer

    def refuse(how: str, target: str, headers: dict[str, str], body: bytes) -> replies.Reply:
        if f"{how} {target.partition('?')[0].rpartition('/')[2]}" == what:
            said.append(target)
            if len(said) <= times:
                return replies.Reply(409, objects.Refusal(409, "Conflict", "modified").status())
        return answer(how, target, headers, body)

    monkeypatch.setattr(cluster, "answer", refuse)
    monkeypatch.setattr(applying, "_POLL", 0.0)
    return said


def _row(shop: shops.Shops, done: accounts.Summary) -> tuple[outcomes.Outcome | None, str]:
    row = shop.row(done.run, "s1")
    return row.outcome, row.cause.reason if row.cause else ""


@pytest.mark.parametrize(
    ("times", "ends"), [(4, (outcomes.Outcome.CHANGED, "")), (5, (outcomes.Outcome.FAILED, "Conflict"))]
)
@pytest.mark.parametrize("what", ["PATCH settings", "DELETE old"])
def test_five_tries(
    what: str,
    times: int,
    ends: tuple[outcomes.Outcome, str],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of an apply without conflicting fields, and of a delete whose preconditions do not hold."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.bundle("1.0.0", extra=("old",))
        shop.rollout(strategy=_STRATEGY)
        said = _contend(shop, what, times, monkeypatch)
        shop.bundle("1.1.0")
        assert _row(shop, shop.rollout(strategy=_STRATEGY)) == ends
        assert len(said) == 5
