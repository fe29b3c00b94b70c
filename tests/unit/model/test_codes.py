"""The spelling of error codes."""

import re

import pytest

from fleetctl.model import codes


@pytest.mark.parametrize("code", [pytest.param(code, id=code.value) for code in codes.Code])
def test_codes_are_slugs(code: codes.Code) -> None:
    """A code is ``area/what`` in lower case and prints as itself."""
    assert re.fullmatch(r"[a-z]+/[a-z]+(-[a-z]+)*", code.value)
    assert str(code) == f"{code}" == code.value


def test_codes_are_said_once() -> None:
    """No two members share a code: Python would make the second an alias of the first."""
    assert len(codes.Code.__members__) == len(list(codes.Code))


def test_members_are_named_by_their_codes() -> None:
    """A member is found by the code that people see, save where the second half says nothing."""
    named = {code.name: code.value.replace("/", "_").replace("-", "_").upper() for code in codes.Code}
    shorter = {"USAGE": "USAGE_WRONG", "INTERNAL": "INTERNAL_BUG"}
    assert {name: made for name, made in named.items() if name != made} == shorter
