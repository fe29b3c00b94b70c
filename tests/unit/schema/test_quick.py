"""The quick check against the shapes: it never takes what they refuse, and it misses next to nothing that they take."""

import copy
from typing import Annotated, Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import problems, values
from fleetctl.schema import quick, shapes
from tests.unit.schema import test_checking as documents


def _is_right(data: object, shape: type[shapes.Shape]) -> bool:
    try:
        shape.model_validate(data)
    except pydantic.ValidationError:
        return False
    return True


def _mentions(value: object) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is values.UNSET or any(map(_mentions, inner))


@given(st.data())
def test_it_says_what_the_shapes_say(data: st.DataObject) -> None:
    """With and without junk in it, a document fits quickly if and only if it fits; without ``unset``, and no mark."""
    mangled = copy.deepcopy(data.draw(st.sampled_from(documents.VALID)))
    if data.draw(st.booleans()):
        *way, last = data.draw(st.sampled_from(documents.places(mangled)))
        parent: Any = problems.value_at(mangled, way)
        parent[last] = data.draw(documents.JUNK)
    shape = shapes.KINDS.get(mangled["kind"] if isinstance(mangled["kind"], str) else "", shapes.SiteList)
    right = _is_right(mangled, shape)
    assert quick.fits(mangled, shape, unset=True) is right
    marked = _mentions(mangled)
    assert quick.fits(mangled, shape, unset=False) is right or (marked and right)


def _sum(one: Any) -> Any:  # noqa: ANN401  # a model
    assert one.left + one.right == 3, "expected 3"
    return one


class _Pair(shapes.Shape):
    left: int = 1
    right: int


class _Holder(shapes.Shape):
    checked: Annotated[_Pair, pydantic.AfterValidator(_sum)]


class _Whole(shapes.Shape):
    left: int = 1
    right: int

    @pydantic.model_validator(mode="after")
    def _adds_up(self) -> "_Whole":
        _sum(self)
        return self


@pytest.mark.parametrize(("right", "fits"), [(2, True), (3, False), ("2", False)])
def test_a_check_of_a_whole_model_still_counts(right: object, *, fits: bool) -> None:
    """A function that is about the object that a model makes gets that object, with its defaults."""
    assert quick.fits({"right": right}, _Whole, unset=False) is fits
    assert quick.fits({"checked": {"right": right}}, _Holder, unset=False) is fits
