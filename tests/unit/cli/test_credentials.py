"""Credentials of every kind, and servers and helpers that repeat them: no command shows or keeps any."""

import base64
import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.testing

from fleetctl.cli import main
from tests.unit.kube import issuers, wires

CA = wires.Authority("ours")
PAIR = CA.client("rollout")
SECRETS = {name: f"s3cret-{name}" for name in ("token", "file", "plugin", "argument", "variable", "client", "proxy")}
_API = "apiVersion: fleetctl.dev/v1alpha1\n"
_FILES = {
    "fleetctl.yaml": f"{_API}kind: Project\nname: demo\n",
    "inventory/defaults.yaml": f"{_API}kind: Defaults\nbundles: {{app: {{}}}}\n",
    "templates/app/bundle.yaml": f"{_API}kind: Bundle\nname: app\nversion: 1.0.0\nnamespace: app\n",
    "templates/app/a.yaml.j2": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n",
    "token": SECRETS["file"],
    "at-once.yaml": f"{_API}kind: Strategy\nwaves: [{{}}]\nsoak: 0s\nmaxFailed: 100%\n"
    "maxUnauthorized: 100%\nmaxUnreachable: 100%\n",
}
_PLUGIN = f"""#!{sys.executable}
import os, sys
print("{SECRETS["plugin"]}")
sys.stderr.write(f"no login for {{sys.argv[2]}} {{os.environ['KEY']}} {SECRETS["plugin"]}")
sys.exit(1)
"""


def _echo(connection: wires.Connection) -> None:
    """Refuse everything, and repeat whatever was shown."""
    while (seen := connection.request()) is not None:
        shown = seen.headers.get("authorization", "")
        said = {"kind": "Status", "status": "Failure", "reason": "Unauthorized", "code": 401, "message": f"not {shown}"}
        connection.send(wires.answer(json.dumps(said).encode(), 401, "Content-Type: application/json\r\n"))


def _users(issuer: issuers.Issuer) -> dict[str, dict[str, Any]]:
    called = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "interactiveMode": "Never",
        "command": "./plugin",
        "args": ["--secret", SECRETS["argument"]],
        "env": [{"name": "KEY", "value": SECRETS["variable"]}],
    }
    login = issuer.config(CA.certificate, **{"client-secret": SECRETS["client"]})
    pair = {"client-certificate-data": PAIR.certificate, "client-key-data": PAIR.key}
    return {
        "by-token": {"token": SECRETS["token"]},
        "by-file": {"tokenFile": "token"},
        "by-plugin": {"exec": called},
        "by-login": {"auth-provider": {"name": "oidc", "config": login}},
        "by-old-login": {"auth-provider": {"name": "oidc", "config": {**login, "refresh-token": "s3cret-old"}}},
        "by-certificate": {name: base64.b64encode(content).decode() for name, content in pair.items()},
    }


@pytest.fixture(name="project")
def _project(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A site for each kind of credential, at a server that takes none of them."""
    with issuers.Issuer(CA) as issuer, wires.Server(CA.server(), _echo) as server:
        users = _users(issuer)
        cluster = {"server": server.url, "certificate-authority-data": base64.b64encode(CA.certificate).decode()}
        dark = {"server": "https://127.0.0.1:9", "proxy-url": f"http://u:{SECRETS['proxy']}@127.0.0.1:9"}
        config = {
            "clusters": [{"name": "c", "cluster": cluster}, {"name": "dark", "cluster": dark}],
            "users": [{"name": name, "user": user} for name, user in users.items()],
            "contexts": [{"name": name, "context": {"cluster": "c", "user": name}} for name in users]
            + [{"name": "dark", "context": {"cluster": "dark", "user": "by-token"}}],
        }
        names = [*users, "dark"]
        sites = [{"name": name, "access": {"kube": {"kubeconfig": f"kubeconfig#{name}"}}} for name in names]
        listed = {"apiVersion": "fleetctl.dev/v1alpha1", "kind": "SiteList", "sites": sites}
        made = {"kubeconfig": json.dumps(config), "inventory/sites.yaml": json.dumps(listed), "plugin": _PLUGIN}
        for name, text in (_FILES | made).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (tmp_path / "plugin").chmod(0o700)
        yield tmp_path


def _said(folder: pathlib.Path) -> Iterator[str]:
    """Run commands that meet every kind of trouble, and give what they write to their streams."""
    sites = ["by-token", "by-file", "by-plugin", "by-login", "by-old-login", "by-certificate", "dark"]
    for words in (
        f"doctor {' '.join(f'--site {site}' for site in sites)}",
        "rollout plan app --all",
        "rollout plan app --all -o json",
        "--events events.jsonl rollout start app --all --yes --strategy at-once.yaml",
        "rollout status -o json",
        *(f"why {site} -o json" for site in sites),
    ):
        found = typer.testing.CliRunner().invoke(main.app, ["-C", str(folder), *words.split()], prog_name="fleetctl")
        assert found.exit_code in {0, 6, 7}, (words, found.stderr)
        yield f"{found.stdout}{found.stderr}{found.exception!r}"


def test_no_command_shows_or_keeps_them(project: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on the screen, nor in plans, events or the journal, though everybody asked repeats what was shown to them."""
    monkeypatch.chdir(project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    said = list(_said(project))
    assert "CredentialUnavailable" in said[1]
    assert "Unauthorized" in said[1]
    login = json.loads((project / "kubeconfig").read_text("utf-8"))["users"][3]["user"]["auth-provider"]["config"]
    told = [text.encode() for text in said]
    told += [path.read_bytes() for path in project.rglob("*") if path.is_file() and path not in before]
    assert {path.name for path in project.rglob("*")} >= {"events.jsonl", "state.db"}
    secrets = [b"s3cret", login["id-token"].encode(), base64.b64encode(PAIR.key), PAIR.key]
    assert [secret for secret in secrets for text in told if secret in text] == []
    assert {path for path in before if path.read_bytes() != before[path]} == {project / "kubeconfig"}
