"""The suite's own rule: a test whose real target is missing is skipped in the open, and fails where CI requires it."""

import pytest

from tests.architecture import sources

_CASE = """
import pytest

@pytest.mark.kubebox
def test_needs_a_cluster():
    assert True
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite of one test that needs a kubebox, on a machine that has none, under our own conftest."""
    monkeypatch.setenv("FLEETCTL_KUBEBOX", "folder-that-is-not-there")
    pytester.makeconftest((sources.ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nmarkers =\n    kubebox: real clusters\n")
    pytester.makepyfile(_CASE)
    return pytester


def test_a_missing_target_skips_with_its_reason(suite: pytest.Pytester) -> None:
    """Without the switch the test is skipped, and the summary says what is missing."""
    result = suite.runpytest_subprocess("-ra")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["SKIPPED*no kubebox-1.36 and no kubebox-1.34 and no kwok on PATH or in FLEETCTL_KUBEBOX*"]
    )


def test_a_required_target_fails(suite: pytest.Pytester) -> None:
    """With --require-targets the same test does not pass for a skip."""
    result = suite.runpytest_subprocess("--require-targets")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no kubebox-1.36 *"])
