"""Which commit the project's files are, if they are in git, and who works with them: for plan, journal and parents."""

from __future__ import annotations

import getpass
import socket

import msgspec

from fleetctl.model import codes, errors, plans, projects
from fleetctl.reading import commits

__all__ = ["Provenance", "author", "of", "require_clean"]

_SETTINGS = "fleetctl.yaml"


class Provenance(msgspec.Struct, frozen=True):
    """A commit, and whether files differ from it; empty where there is no git."""

    commit: str = ""
    dirty: bool = False


def of(project: projects.Project) -> Provenance:
    """Ask git about a project's settings, inventory and templates; a folder that git does not know has no provenance.

    Files that were read from a commit are that commit's, whatever lies in the folder.
    """
    if project.commit:
        return Provenance(project.commit)
    head = commits.ask(project.root, "rev-parse", "HEAD")
    if not head:
        return Provenance()
    folders = [str(folder) for folder in (project.inventory, project.templates) if folder.exists()]
    changed = commits.ask(project.root, "status", "--porcelain", "--", _SETTINGS, *folders)
    # Where git cannot tell, as of templates outside of the repository, no commit holds what is used.
    return Provenance(head, dirty=changed != "")


def author() -> str:
    """Return who works here, as ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def require_clean(*made: plans.Plan) -> None:
    """Raise ``Refused`` for a plan made of files that differ from their commit: nobody could look them up."""
    dirty = next((plan for plan in made if plan.dirty), None)
    if dirty is not None:
        message = f"files of the project differ from commit {dirty.commit[:10]}, and in CI (CI=true) they must not"
        hint = "Commit them (git status names them), or roll a commit out as it is: --rev COMMIT"
        raise errors.Refused(codes.Code.GIT_DIRTY_TREE, message, hint)
