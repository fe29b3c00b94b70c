"""The same files give the same bytes: in every process, whatever the order of sets there, and on every Python."""

import functools
import os
import pathlib
import shutil
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetctl.model import errors
from tests.architecture import sources
from tests.unit.rendering import making

SCRIPT = """
import pathlib, sys
from fleetctl.inventory import fleets, locating
from fleetctl.rendering import bundles, rendering
loaded = fleets.load(locating.find(pathlib.Path(sys.argv[1])))
names = sorted({name for site in loaded.fleet.sites.values() for name in site.bundles})
asked = [bundles.load(loaded.project.templates, name, loaded.project.shown) for name in names]
made = rendering.render(loaded.fleet, asked, loaded.fleet.sites.values(), lambda *_: None).releases
print(*(f"{one.site} {one.bundle} {one.digest}" for one in made), sep="\\n")
"""
PROJECT = sources.ROOT / "inventories" / "retail"
LEAST = 11
"""The first minor of Python 3 that fleetctl runs on."""
MINORS = range(LEAST, LEAST + 5)


def _run(python: str, seed: str, code: str = SCRIPT) -> "subprocess.CompletedProcess[str]":
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment = {**kept, "PYTHONHASHSEED": seed, "PYTHONPATH": str(sources.ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, "-c", code, str(PROJECT)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@functools.cache
def _digests(python: str, seed: str) -> str:
    done = _run(python, seed)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _pythons(minor: int) -> list[str]:
    """Return the interpreters of a minor: those of the path and those of pyenv."""
    found = [shutil.which(f"python3.{minor}"), *pathlib.Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")]
    return [str(one) for one in found if one]


@pytest.mark.parametrize("seed", ["1", "4294967295"])
def test_digests_do_not_depend_on_hashing(seed: str) -> None:
    """Sets and texts hash differently in each process; no digest of any site may show it."""
    assert _digests(sys.executable, seed) == _digests(sys.executable, "0")
    assert len(_digests(sys.executable, "0").splitlines()) > 50


@pytest.mark.parametrize("minor", MINORS)
def test_digests_do_not_depend_on_python(minor: int) -> None:
    """Every minor that is there, with our dependencies, makes the digests of this one."""
    if minor == sys.version_info.minor:
        pytest.skip("this is the Python that runs the test")
    able = [one for one in _pythons(minor) if _run(one, "0", "import fleetctl.rendering.rendering").returncode == 0]
    if not able:
        pytest.skip(f"no Python 3.{minor} with the dependencies of fleetctl")
    assert _digests(able[0], "0") == _digests(sys.executable, "0")


_EXPRESSIONS = st.sampled_from(
    [
        *(
            "values.a",
            "values.b.c",
            "values",
            "vars",
            "site",
            "site.name",
            "none",
            "true",
            "1.5",
            "'x' * 9",
            "[1, 'a']",
        ),
        *("values.a ~ values.b", "values.a + values.b", "values.a % values.b", "values.a ** 9", "1 / values.a"),
        *("range(values.a)", "values.items()", "namespace(x=1)", "loop", "self", "caller()", "joiner", "cycler()"),
    ]
)
_FILTERS = st.sampled_from(
    [
        *(
            "k",
            "toyaml",
            "nindent(2)",
            "nindent",
            "quote",
            "b64enc",
            "sha256",
            "dns1123",
            "required('x')",
            "cpu",
            "mem",
        ),
        *("ipnet('host', 1)", "ipnet", "ternary(1, 2)", "int", "float", "list", "join", "sort", "first", "round(2)"),
        *("upper", "replace('a', 'b')", "groupby('a')", "map('upper')", "sum", "batch(2)", "default('d')", "format(1)"),
    ]
)
_PRINTED = st.builds(
    lambda expression, filters: "{{ " + " | ".join([expression, *filters]) + " }}",
    _EXPRESSIONS,
    st.lists(_FILTERS, max_size=3),
)
_BLOCKS = st.sampled_from(
    [
        *(
            "{% if values.a %}",
            "{% else %}",
            "{% endif %}",
            "{% for x in values.a %}",
            "{% endfor %}",
            "{% set x = 1 %}",
        ),
        *(
            "{% macro m() %}",
            "{% endmacro %}",
            "{% raw %}",
            "{#",
            "%}",
            "{% include values.a %}",
            "\n---\n",
            ": ",
            "- ",
        ),
    ]
)
_TEMPLATES = st.lists(_PRINTED | _BLOCKS | st.text(alphabet=string.printable, max_size=6), max_size=6).map("".join)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcx"), inner, max_size=3),
    max_leaves=6,
)


@given(_TEMPLATES, st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3))
def test_whatever_a_template_does_is_a_release_or_a_typed_error(template: str, own: dict[str, object]) -> None:
    """Never a traceback, and the second time the same as the first."""

    def outcome() -> object:
        try:
            return making.made({"a.yaml.j2": making.config_map("a", "x: " + template)}, s1={"app": own})  # type: ignore[dict-item]
        except errors.InvalidInput as error:
            return error.problems

    assert outcome() == outcome()
