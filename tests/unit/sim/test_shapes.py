"""What a server says of objects that do not have the shape of their kind. The words were seen on a real one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.sim import kinds, schemas, shapes
from tests.unit.sim import small

DEPLOYMENT = schemas.of(kinds.BY_KIND["apps", "Deployment"])
APP = '.spec.template.spec.containers[name="app"]'
TEXT_PORT = f'{APP}.ports[containerPort="80",protocol="TCP"].containerPort'


def _faults(**container: object) -> list[str]:
    body = small.workload()
    body["spec"]["template"]["spec"]["containers"][0].update(container)
    return list(shapes.faults(DEPLOYMENT, body))


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"imag": "x"}, f"{APP}.imag: field not declared in schema"),
        ({"env": [{"name": "A"}, {"name": "A"}]}, f'{APP}.env: duplicate entries for key [name="A"]'),
        (
            {"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]},
            f'{APP}.ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
        ),
        ({"env": "x"}, f"{APP}.env: expected list, got &{{x}}"),
        ({"env": ["x"]}, f"{APP}.env: element 0: associative list with keys may not have non-map elements"),
        ({"env": [None]}, f"{APP}.env: element 0: associative list with keys may not have a null element"),
        ({"tty": "yes"}, f"{APP}.tty: expected boolean, got &{{yes}}"),
        ({"args": [1]}, f"{APP}.args[0]: expected string, got &value.valueUnstructured{{Value:1}}"),
        ({"securityContext": []}, f"{APP}.securityContext: expected map, got &{{[]}}"),
        ({"ports": [{"containerPort": "80"}]}, f"{TEXT_PORT}: expected numeric (int or float), got string"),
    ],
)
def test_faults_in_a_servers_words(container: dict[str, Any], said: str) -> None:
    """Unknown fields, doubled keys and wrong types are found, however deep."""
    assert _faults(**container) == [said]


@pytest.mark.parametrize(
    "container",
    [
        {"env": None},
        {"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}},
        {"livenessProbe": {"httpGet": {"port": 80}}},
        {"livenessProbe": {"httpGet": {"port": "http", "path": "/"}}},
        {"ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]},
    ],
)
def test_what_is_well(container: dict[str, Any]) -> None:
    """Nulls are nowhere wrong, and quantities and ports may be numbers or texts."""
    assert _faults(**container) == []


def test_equal_ports_of_a_policy_are_no_doubles() -> None:
    """The ports of a NetworkPolicy have no keys: only where a server merges by keys may these not repeat."""
    policy = schemas.of(kinds.BY_KIND["networking.k8s.io", "NetworkPolicy"])
    ports = [{"port": 53}, {"port": 53}]
    assert list(shapes.faults(policy, {"spec": {"egress": [{"ports": ports}]}})) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["spec", "name", "env", "x"]), inner),
    max_leaves=12,
)


@given(_JSON)
def test_anything_can_be_looked_at(value: Any) -> None:  # noqa: ANN401 - JSON
    """Whatever is sent, there is an answer in words."""
    assert all(isinstance(said, str) for said in shapes.faults(DEPLOYMENT, value))
