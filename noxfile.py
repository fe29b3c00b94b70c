"""Every check of this repository, by name: `nox` runs the quick ones, `nox -s tests` one, `nox -l` lists them.

CI runs the same sessions (see .ci/run), so a check is written down once. Sessions use uv when it is installed.
"""

import pathlib
import shutil
import tempfile

import nox

nox.needs_version = ">=2026.4.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"  # a check uses the Pythons that are here
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "imports", "docs", "tests"]

LANGUAGE_SERVER = "yaml-language-server@1.25.0"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: its rules, and its formatting."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check", "--diff")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package, the tests and the build files: mypy, strict."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Hold the rooms to the order drawn in .importlinter."""
    session.install("-e", ".[dev]")
    session.run("lint-imports", "--no-logo")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a reference that leads nowhere fails. `-- OUT` says where to."""
    session.install("-e", ".[dev]")
    out = session.posargs[0] if session.posargs else "docs/_build/html"
    session.run("sphinx-build", "-q", "-W", "-n", "--keep-going", "-b", "html", "docs", out)
    if not pathlib.Path(out, "index.html").is_file():
        session.error("Sphinx ended well and wrote no index.html")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python that is installed here; what follows `--` goes to pytest."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Say which lines and branches no test reaches."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pytest", "--cov", "--cov-report=term-missing", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the release files into dist/: the sdist, and from it the wheel, as it ignores what git ignores."""
    session.install("uv")
    session.run("uv", "build")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, one process and in order; their numbers are printed, not judged."""
    session.install("-e", ".[test]")
    for script in ("startup", "inventory_load", "render", "unchanged"):
        session.run("python", f"tests/bench/{script}.py", *session.posargs)


@nox.session
def editor(session: nox.Session) -> None:
    """Hold the schemas for editors against yaml-language-server, which npm installs outside of the tree."""
    if not shutil.which("npm") or not shutil.which("node"):
        session.skip("no node or npm here (Debian packages nodejs and npm)")
    session.install("-e", ".[test]")
    with tempfile.TemporaryDirectory() as folder:
        install = ("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, LANGUAGE_SERVER)
        session.run(*install, external=True)
        server = f"{folder}/node_modules/.bin/yaml-language-server"
        session.run("python", "tests/editors/languageserver.py", server)
