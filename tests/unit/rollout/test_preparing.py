"""From files to the members of a run: who is left out and why, and what the bundle says about the run itself."""

import pathlib

import pytest

from fleetctl.cli import asking, opening, options
from fleetctl.inventory import fleets, locating
from fleetctl.model import codes, errors, plans
from fleetctl.rendering import bundles
from fleetctl.rollout import orders, planning, preparing, strategies

FILES = {
    "fleetctl.yaml": "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n",
    "inventory/sites.yaml": """\
apiVersion: fleetctl.dev/v1alpha1
kind: SiteList
defaults: {bundles: {app: {}}}
sites:
- {name: s1, cluster: {version: v1.36.3}}
- {name: s2, cluster: {version: v1.29.0}}
- {name: s3, cluster: {version: v1.28.0}, state: maintenance}
- {name: s4, cluster: {version: v1.36.0}, state: maintenance}
""",
    "templates/app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
}
BUNDLE = "apiVersion: fleetctl.dev/v1alpha1\nkind: Bundle\nname: app\nversion: 1.0.0\nnamespace: home\n"


def _prepared(folder: pathlib.Path, more: str) -> tuple[preparing.Prepared, fleets.Loaded, bundles.Bundle]:
    for name, text in {**FILES, "templates/app/bundle.yaml": BUNDLE + more}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    loaded = fleets.load(locating.find(folder))
    bundle = bundles.load(loaded.project.templates, "app", loaded.project.shown)
    return preparing.prepare(loaded, list(loaded.fleet.sites.values()), bundle, orders.PLAIN), loaded, bundle


def test_sites_that_lack_what_the_bundle_requires_are_left_out(tmp_path: pathlib.Path) -> None:
    """And named, those in maintenance too: they are owed nothing that they could not run."""
    prepared, _, _ = _prepared(tmp_path, 'requires: {kubernetes: ">=1.30"}\n')
    assert [one.site.name for one in prepared.wanted] == ["s1"]
    assert [one.site.name for one in prepared.waiting] == ["s4"]
    assert prepared.left_out == (planning.LeftOut("lacking Kubernetes >=1.30", ("s2", "s3")),)


def test_where_no_site_is_left_there_is_no_run(tmp_path: pathlib.Path) -> None:
    """The code is that of the requirement, not that of an empty selection."""
    with pytest.raises(errors.EmptySelection) as caught:
        _prepared(tmp_path, 'requires: {kubernetes: ">=1.37"}\n')
    assert caught.value.code is codes.Code.BUNDLE_REQUIRES
    assert "4 lacking Kubernetes >=1.37 (app)" in str(caught.value)


def test_the_bundle_says_how_much_may_be_pruned(tmp_path: pathlib.Path) -> None:
    """The plan carries it, so that whoever carries the plan out goes by the same limit."""
    prepared, loaded, _ = _prepared(tmp_path, "prune: {count: 1, percent: 50}\n")
    plan = preparing.described(prepared, plans.Kind.ROLLOUT, loaded.project, plans.Strategy(), plans.Options())
    assert plan.options.prune == plans.Prune(1, 50)
    assert [plan.options.prune.of(there) for there in (0, 1, 3, 10)] == [1, 1, 1, 5]
    assert str(plan.options.prune) == "the larger of 1 and 50 %"


def test_a_bundles_strategy_is_one_like_that_of_a_file(tmp_path: pathlib.Path) -> None:
    """What it leaves out is as shipped."""
    _, _, bundle = _prepared(tmp_path, "strategy: {waves: [{count: 2}, {}], maxFailed: 0, soak: 5s}\n")
    assert bundle.strategy is not None
    assert strategies.of(bundle.strategy) == plans.Strategy(
        waves=(plans.WaveRule(count=2), plans.WaveRule()), max_failed=plans.Limit(count=0), soak=5.0
    )


def test_the_command_lines_strategy_comes_before_the_bundles(tmp_path: pathlib.Path) -> None:
    """Flag, then bundle, then shipped; single flags override whichever it is."""
    _, _, bundle = _prepared(tmp_path, "strategy: {soak: 5s, concurrency: 7}\n")
    file = tmp_path / "strategy.yaml"
    file.write_text("apiVersion: fleetctl.dev/v1alpha1\nkind: Strategy\nsoak: 6s\n", encoding="utf-8")
    opened = opening.Opening(tmp_path)
    chosen = asking.strategy_of(opened, options.Making(concurrency=3), bundle)
    assert (chosen.soak, chosen.concurrency) == (5.0, 3)
    assert asking.strategy_of(opened, options.Making(strategy=str(file)), bundle) == plans.Strategy(soak=6.0)
    assert asking.strategy_of(opened, options.Making()) == plans.Strategy()
