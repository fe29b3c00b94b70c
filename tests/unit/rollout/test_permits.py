"""Rights that a plan finds missing, on simulated clusters: what it tells is what a visit then meets."""

import pathlib

import pytest

from fleetctl.kube import needs, rights
from fleetctl.model import outcomes
from fleetctl.sim import permissions
from tests.unit.rollout import shops

_VIEW = (permissions.Rule(("get", "list", "watch"), ("*",), ("*",)),)


def _rules(*left_out: tuple[str, str]) -> tuple[permissions.Rule, ...]:
    """Return the rights that the first install of the bundle needs, one by one, without some (verb, resource)."""
    app = ("apps", "deployments", "web")
    named = [("", "secrets", "app"), ("", "namespaces", "app"), ("", "configmaps", "settings"), app]
    found = [(verb, group, plural, "app", name) for group, plural, name in named for verb in ("get", "patch", "create")]
    listed = [("", "pods"), ("", "events"), ("", "configmaps"), ("apps", "deployments"), ("apps", "replicasets")]
    found += [("list", group, plural, "app", "") for group, plural in listed]
    found += [("list", "", "nodes", "", ""), ("list", "", "namespaces", "", "")]
    found += [("get", "", "namespaces", "kube-system", "kube-system"), ("get", "", "pods/log", "app", "")]
    home = "fleetctl-system"
    found += [(verb, "coordination.k8s.io", "leases", home, "fleetctl-app") for verb in ("get", "update", "delete")]
    found += [("create", "coordination.k8s.io", "leases", home, "")]
    return tuple(
        permissions.Rule((verb,), (group,), (plural,), (name,) if name else (), namespace)
        for verb, group, plural, namespace, name in found
        if (verb, plural) not in left_out
    )


def test_an_administrator_costs_one_request_where_something_is_to_be_done(tmp_path: pathlib.Path) -> None:
    """Where the release is there already, nothing is asked."""
    with shops.opened(tmp_path) as shop:
        before = shop.fleet.requests()
        assert shop.proposed().lacks == ()
        between = shop.fleet.requests()
        assert {site: count - before[site] for site, count in between.items()} == dict.fromkeys(before, 2)
        shop.rollout()
        before = shop.fleet.requests()
        shop.proposed()
        assert {site: count - before[site] for site, count in shop.fleet.requests().items()} == dict.fromkeys(before, 1)


def test_what_is_needed_is_enough(tmp_path: pathlib.Path) -> None:
    """A site whose credential may do exactly that has no gap, and its visit goes well."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.suffer("s1", rights=_rules())
        before = shop.fleet.requests()["s1"]
        found = shop.proposed()
        assert (found.lacks, found.doubts) == ((), ())
        # The parent; everything?; the home namespace; rules: everywhere, app, fleetctl-system, kube-system.
        assert shop.fleet.requests()["s1"] - before == 7
        done = shop.rollout()
        assert shop.outcomes(done.run) == {"s1": outcomes.Outcome.CHANGED}, shop.row(done.run, "s1").cause


@pytest.mark.parametrize(
    ("verb", "resource", "subject"),
    [
        ("create", "deployments", "Deployment app/web"),
        ("patch", "configmaps", "ConfigMap app/settings"),
        ("create", "secrets", ""),
        ("create", "namespaces", "Namespace app"),
        ("get", "deployments", ""),
        ("list", "configmaps", ""),
        ("list", "replicasets", ""),
    ],
)
def test_what_a_plan_tells_is_what_a_visit_meets(
    tmp_path: pathlib.Path, verb: str, resource: str, subject: str
) -> None:
    """Exactly the right that is missing is told, and without it the visit fails."""
    with shops.opened(tmp_path, ("s1",)) as shop:
        shop.suffer("s1", rights=_rules((verb, resource)))
        (lack,) = shop.proposed().lacks
        assert [(gap.resource.partition(".")[0], gap.verbs) for gap in lack.gaps] == [(resource, (verb,))]
        done = shop.rollout()
        assert shop.outcomes(done.run) == {"s1": outcomes.Outcome.FAILED}
        cause = shop.row(done.run, "s1").cause
        assert cause is not None
        assert (cause.reason, subject in cause.subject) == ("Forbidden", True)
        assert f'cannot {verb} resource "{resource}"' in cause.message


def test_sites_that_lack_the_same_are_told_once(tmp_path: pathlib.Path) -> None:
    """Rights are a matter of each site; those for the Lease and for evidence are told apart."""
    with shops.opened(tmp_path) as shop:
        for site in ("s1", "s3"):
            shop.suffer(site, rights=_VIEW)
        (lack,) = shop.proposed().lacks
        assert lack.sites == ("s1", "s3")
        assert rights.Gap("deployments.apps", "app", ("create", "patch")) in lack.gaps
        lease = ("create", "delete", "update")
        assert rights.Gap("leases.coordination.k8s.io", "fleetctl-system", lease, (), "lease") in lack.gaps


def test_a_namespace_that_is_there_need_not_be_made(tmp_path: pathlib.Path) -> None:
    """Rules for namespaced kinds may stand in a Role of it, then."""
    template = tmp_path / "templates" / "app" / "app.yaml.j2"
    with shops.opened(tmp_path, ("s1",)) as shop:
        text = template.read_text(encoding="utf-8")
        template.write_text(text[text.index("---\n") :], encoding="utf-8")
        shop.suffer("s1", rights=_rules(("create", "namespaces"), ("patch", "namespaces")))
        (lack,) = shop.proposed().lacks
        assert [(gap.resource, gap.verbs) for gap in lack.gaps] == [("namespaces", ("create", "patch"))]
        shop.fleet.servers["s1"].cluster.store.make("", "Namespace", {"metadata": {"name": "app"}})
        assert shop.proposed().lacks == ()
        done = shop.rollout()
        assert shop.outcomes(done.run) == {"s1": outcomes.Outcome.CHANGED}, shop.row(done.run, "s1").cause


def test_a_site_that_does_not_say_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken for missing there."""
    monkeypatch.setattr(permissions, "_BASIC", ())
    with shops.opened(tmp_path) as shop:
        shop.suffer("s2", rights=_rules())
        found = shop.proposed()
        assert found.lacks == ()
        assert [(one.cause.reason, one.sites) for one in found.doubts] == [("Forbidden", ("s2",))]


def test_purposes_are_all_known() -> None:
    """The role of the tests above has what a visit needs and nothing else; a need more is seen here first."""
    assert set(needs.Purpose.__args__) == {"visit", "evidence", "lease", "undo"}  # type: ignore[attr-defined]  # typing's
