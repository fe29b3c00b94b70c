"""What inventory files say, checked but not merged. Places and schemas are known by what is asked of them only.

So whoever handles these records need not import the libraries that made them.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from fleetctl.model import problems, selectors, values

__all__ = ["Files", "GroupEntry", "Layer", "Places", "Schema", "SiteEntry"]


class Places(Protocol):
    """Knows where in a file a value stands: ``reading.yaml12.Document`` does."""

    @property
    def path(self) -> str:
        """Return the file's path as people see it."""
        ...

    def mark(self, field: problems.Field, *, key: bool = False) -> problems.Mark:
        """Return where a value stands (or its key)."""
        ...


class Schema(Protocol):
    """Knows what is wrong with a value: ``schema.jsonschemas.Checker`` does."""

    def complaints(self, value: object) -> list[tuple[problems.Field, str]]:
        """Return everything that is wrong."""
        ...


class Layer(msgspec.Struct, frozen=True):
    """One layer as written: its title for people, its data, and where the data stands."""

    title: str
    data: values.Written
    document: Places
    field: problems.Field = ()
    lifted: int = 0
    """How many first steps of a field the document does not spell out, because the data was put below them."""

    @property
    def path(self) -> str:
        """Return the file that this layer stands in, as people see it."""
        return self.document.path

    def mark(self, field: problems.Field, *, key: bool = False) -> problems.Mark:
        """Return where a field of this layer stands."""
        return self.document.mark((*self.field, *field[self.lifted :]), key=key)


class SiteEntry(msgspec.Struct, frozen=True):
    """One site as written, and the defaults of its file."""

    name: str
    layer: Layer
    nodes: list[values.Written]
    file_defaults: Layer | None

    def node_layer(self, index: int) -> Layer:
        """Return what one node lays over the site."""
        node = self.nodes[index]
        field = (*self.layer.field, "nodes", index)
        return Layer(f"node {node['name']}", {"vars": node.get("vars", {})}, self.layer.document, field)


class GroupEntry(msgspec.Struct, frozen=True):
    """One group as written."""

    name: str
    match: selectors.Selector
    priority: int
    layer: Layer


class Files(msgspec.Struct):
    """Everything the inventory folder says, and every problem seen while reading it."""

    count: int = 0
    """Files read."""
    defaults: Layer | None = None
    groups: dict[str, GroupEntry] = {}
    sites: dict[str, SiteEntry] = {}
    highest: Layer | None = None
    """What the command line sets over everything else."""
    vars_schema: Schema | None = None
    has_references: bool = False
    """Whether any file may contain ``${vars``; when none does nobody needs to look."""
    incomplete: bool = False
    """Whether a layer that sites share could not be taken, so that merged sites would lack what it says."""
    problems: list[problems.Problem] = []
