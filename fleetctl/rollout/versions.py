"""A version of a bundle is one set of templates, for ever: what was rolled out can be named, and found again."""

from __future__ import annotations

from fleetctl.model import codes, errors, events, plans, problems
from fleetctl.rollout import looking, preparing
from fleetctl.state import databases, runs

__all__ = ["refuse_reused"]


def refuse_reused(store: databases.Store, prepared: preparing.Prepared) -> None:
    """Raise ``InvalidInput`` when the last finished rollout of this version was made from other files of the bundle.

    Files of the inventory may change as they like: values are not the bundle's. A rollout that did not finish binds
    nobody: mending its templates is how one goes on.
    """
    if not prepared.templates:
        return
    finished = (
        run
        for run in store.read(lambda conn: runs.all_of(conn, prepared.bundle))
        if (run.kind, run.state, run.version) == (plans.Kind.ROLLOUT, events.RunState.FINISHED, prepared.version)
    )
    last = next(finished, None)
    if last is None:
        return
    rendered_from = looking.plan_of(store, last).templates
    if rendered_from in ("", prepared.templates):
        return
    at = f" from commit {last.commit[:10]}" if last.commit else ""
    message = f"{last.id} has rolled {prepared.version} out{at} with other files; give what is new a version of its own"
    problem = problems.Problem(codes.Code.BUNDLE_VERSION_REUSED, message, prepared.version_mark, ("version",))
    raise errors.InvalidInput([problem])
