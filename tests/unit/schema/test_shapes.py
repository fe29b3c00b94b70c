"""The shapes of our files, held against the records that checked data becomes."""

from typing import Any

import msgspec
import pydantic
import pytest

from fleetctl.model import sites, values
from fleetctl.schema import shapes

PAIRS: list[tuple[type[shapes.Shape], type[msgspec.Struct]]] = [
    (shapes.Site, sites.Site),
    (shapes.Node, sites.Node),
    (shapes.Taint, sites.Taint),
    (shapes.Access, sites.Access),
    (shapes.SshAccess, sites.SshAccess),
    (shapes.KubeAccess, sites.KubeAccess),
    (shapes.Cluster, sites.Cluster),
    (shapes.Location, sites.Location),
    (shapes.Window, sites.Window),
]


@pytest.mark.parametrize(("shape", "record"), [pytest.param(*pair, id=pair[0].__name__) for pair in PAIRS])
def test_a_shape_has_the_keys_of_its_record(shape: type[shapes.Shape], record: type[msgspec.Struct]) -> None:
    """What a file may say is what a site has, key by key: nothing is checked and then dropped."""
    assert {info.alias or name for name, info in shape.model_fields.items()} == set(record.__struct_encode_fields__)


@pytest.mark.parametrize(("shape", "record"), [pytest.param(*pair, id=pair[0].__name__) for pair in PAIRS])
def test_numbers_and_choices_have_the_defaults_of_their_record(
    shape: type[shapes.Shape], record: type[msgspec.Struct]
) -> None:
    """A built-in value is said once more here, and so is held equal."""
    for found in msgspec.structs.fields(record):
        default = shape.model_fields[found.name].get_default(call_default_factory=True)
        if isinstance(default, str | int) and default and found.default is not None:
            assert default == found.default


@pytest.mark.parametrize("name", list(shapes.KINDS))
def test_a_kind_is_the_name_of_its_shape(name: str) -> None:
    """The word in ``kind:`` leads to the class of that name."""
    assert shapes.KINDS[name].__name__ == name


@pytest.mark.parametrize("shape", [shapes.Layer, shapes.GroupLayer])
def test_every_layered_key_may_be_taken_away(shape: type[shapes.Shape]) -> None:
    """Each key of a layer accepts ``!unset``."""
    written: dict[str, Any] = {info.alias or name: values.UNSET for name, info in shape.model_fields.items()}
    shape.model_validate(written)


@pytest.mark.parametrize(
    "key", ["access.ssh", "access.ssh.port", "access.kube.via", "cluster.config", "location.lat", "window.cron"]
)
def test_keys_inside_layered_maps_may_be_taken_away(key: str) -> None:
    """The same holds further down."""
    written: Any = values.UNSET
    for step in reversed(key.split(".")):
        written = {step: written}
    shapes.Layer.model_validate(written)


@pytest.mark.parametrize(
    "written",
    [
        {"name": values.UNSET},
        {"name": "s1", "nodes": values.UNSET},
        {"name": "s1", "nodes": [{"name": "n0", "address": "10.0.0.1", "role": values.UNSET}]},
    ],
)
def test_what_is_not_layered_cannot_be_taken_away(written: dict[str, Any]) -> None:
    """Names and nodes stand in one place only."""
    with pytest.raises(pydantic.ValidationError):
        shapes.Site.model_validate(written)


@pytest.mark.parametrize(("key", "given"), [("port", True), ("port", 22.0), ("port", "22"), ("user", 7)])
def test_types_are_strict(key: str, given: object) -> None:
    """Text is no number, true is not 1, 22.0 is not 22."""
    with pytest.raises(pydantic.ValidationError):
        shapes.SshAccess.model_validate({key: given})


def test_whole_degrees_are_degrees() -> None:
    """A coordinate may be written without a fraction."""
    assert shapes.Location.model_validate({"lat": 60, "lon": -11}).lat == 60.0
