"""A project whose six sites are real clusters, laid out as a user would, and the command that works on it."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fleetctl.state import checking, databases, runs
from tests.contract import talking
from tests.integration import wires
from tests.kubebox import clusters
from tests.unit.cli import processes

__all__ = ["PART_OF", "SITES", "Done", "Object", "Shop", "Started", "set_id", "standard", "versions"]

Object = dict[str, Any]

SITES = tuple(f"store-{number}" for number in range(1, 7))
"""The names of the sites, in the order of their clusters."""

PART_OF = "applyset.kubernetes.io/part-of"
_VERSION = "apiVersion: fleetctl.dev/v1alpha1\n"
_PATIENCE = 100


def standard(image: str = "app:1.0", greeting: str = "{{ values.greeting }}") -> list[Object]:
    """Return what the bundle usually holds; one ConfigMap differs from site to site."""
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    service = {"selector": {"app": "web"}, "ports": ports}
    return [
        talking.config_map("greeting", {"text": greeting}),
        talking.config_map("site", {"name": "{{ site.name }}"}),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service},
        talking.deployment("web", image, replicas=2),
        talking.stateful_set("journal", image, replicas=1),
    ]


def set_id(bundle: str, namespace: str) -> str:
    """Return the id of a bundle's set, as KEP-3659 says."""
    hashed = hashlib.sha256(f"{bundle}.{namespace}.Secret.".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(hashed).decode().rstrip('=')}-v1"


def versions(place: talking.Place) -> dict[str, str]:
    """Return the resourceVersion of everything of the set, the parent included, by kind, name and UID."""
    found = {}
    for plural in ("configmaps", "secrets", "services", "deployments", "statefulsets"):
        for one in place.listed(plural):
            meta = one["metadata"]
            if PART_OF in meta.get("labels", {}) or (plural, meta["name"]) == ("secrets", "app"):
                found[f"{plural} {meta['name']} {meta['uid']}"] = meta["resourceVersion"]
    return found


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Standard output, decoded."""
        return json.loads(self.out)


class Started:
    """A command that runs beside the test; whatever is left of it is killed with the test."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], folder: pathlib.Path, name: str) -> None:
        """Start it; its streams are files in the folder."""
        self._files = folder / f"{name}.out", folder / f"{name}.err"
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(
                arguments, env=dict(environment), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, patience: float = _PATIENCE) -> Done:
        """Wait for its end."""
        code = self.process.wait(patience)
        return Done(code, *(file.read_text(encoding="utf-8") for file in self._files))

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


class Shop:
    """One project; its bundle ``app`` has a namespace of its own, so that tests share clusters and nothing else."""

    def __init__(self, folder: pathlib.Path, kubebox: clusters.Fleet, home: str) -> None:
        """Lay the project out; the bundle has no objects yet."""
        self.folder = folder
        self.namespace = home
        self.sites = dict(zip(SITES, kubebox.clusters(len(SITES)), strict=True))
        self.kubeconfig = folder / "kubeconfig.json"
        self.quick = str(folder / "quick.yaml")
        """The strategy of all runs."""
        self.started: list[Started] = []
        self._kubebox = kubebox.binaries
        self._environment = {key: value for key, value in processes.environment().items() if key != "CI"}
        clusters.write_kubeconfig(self.kubeconfig, self.sites)
        self.write("fleetctl.yaml", "kind: Project\nname: shops\n")
        entries = "".join(
            f"- name: {name}\n  labels: {{ring: '{number}'}}\n  bundles: {{app: {{}}}}\n"
            f"  access: {{kube: {{kubeconfig: 'kubeconfig.json#{name}'}}}}\n"
            for number, name in enumerate(SITES)
        )
        self.write("inventory/sites.yaml", f"kind: SiteList\nsites:\n{entries}")
        self.write("inventory/defaults.yaml", "kind: Defaults\nvars: {app: {greeting: good morning}}\n")
        self.strategy()

    # --- files

    def write(self, name: str, text: str) -> pathlib.Path:
        """Write a file of ours below the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_VERSION + text, encoding="utf-8")
        return path

    def strategy(self, **settings: object) -> None:
        """Write quick.yaml: a canary of one, then the rest, little patience and no soak."""
        given = {
            "apiVersion": "fleetctl.dev/v1alpha1",
            "kind": "Strategy",
            "waves": [{"name": "canary", "count": 1, "canary": True}, {"name": "rest"}],
            "soak": "0s",
            "siteTimeout": "60s",
            "patience": {"imagePull": "1s"},
            **settings,
        }
        pathlib.Path(self.quick).write_text(json.dumps(given, indent=1), encoding="utf-8")  # YAML holds JSON

    def release(self, version: str, *objects: Object) -> None:
        """Make the bundle what it is at a version: these objects, and no others."""
        shutil.rmtree(self.folder / "templates" / "app", ignore_errors=True)
        values = "values: {greeting: hello, colour: blue}\n"
        self.write(
            "templates/app/bundle.yaml",
            f"kind: Bundle\nname: app\nversion: {version}\nnamespace: {self.namespace}\n{values}",
        )
        bodies = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}, *objects]
        text = "\n---\n".join(json.dumps(body, indent=1) for body in bodies)
        (self.folder / "templates" / "app" / "objects.yaml.j2").write_text(text + "\n", encoding="utf-8")

    def access(self, site: str, *, server: str = "", authority: bytes = b"", token: str = "") -> None:
        """Change how a site is reached."""
        config = json.loads(self.kubeconfig.read_bytes())
        cluster = next(one["cluster"] for one in config["clusters"] if one["name"] == site)
        user = next(one["user"] for one in config["users"] if one["name"] == site)
        cluster["server"] = server or cluster["server"]
        if authority:
            cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
        user["token"] = token or user["token"]
        self.kubeconfig.write_text(json.dumps(config), encoding="utf-8")

    def through(self, doors: Mapping[str, wires.Wire]) -> None:
        """Reach sites through doors that count."""
        for site, wire in doors.items():
            self.access(site, server=wire.url, authority=wire.authority)

    # --- commands

    def run(self, *arguments: str, code: int | None = 0) -> Done:
        """Run fleetctl on the project to its end, which must be with this exit code."""
        done = self.begin(*arguments).wait()
        shown = f"{' '.join(arguments)}: exit {done.code}\n{done.out}\n{done.err}"
        assert code is None or done.code == code, shown
        assert "Traceback" not in done.err, shown
        return done

    def begin(self, *arguments: str) -> Started:
        """Start fleetctl on the project."""
        command = [sys.executable, "-m", "fleetctl", "-C", str(self.folder), *arguments]
        started = Started(command, self._environment, self.folder, f"command-{len(self.started)}")
        self.started.append(started)
        return started

    def start(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON is anything
        """Roll the bundle out to all sites, which must end with this exit code, and return the run."""
        return self.run(*self.starting(*arguments), "-o", "json", code=code).json

    def undo(self, run: str, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON is anything
        """Take a run back, which must end with this exit code, and return the run that did it."""
        command = ["rollout", "undo", run, "--yes", "--strategy", self.quick, *arguments, "-o", "json"]
        return self.run(*command, code=code).json

    def catchup(self, *arguments: str, code: int | None = 0) -> Done:
        """Pay what sites are owed, which must end with this exit code if one is given."""
        return self.run("rollout", "catchup", "--all", "--strategy", self.quick, *arguments, code=code)

    def starting(self, *arguments: str) -> list[str]:
        """Return the arguments that roll the bundle out to all sites."""
        return ["rollout", "start", "app", "--all", "--yes", "--strategy", self.quick, *arguments]

    def kubectl(self, site: str, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run kubectl of a site's minor there as others would, which must end with this code; return what it says."""
        config = self.folder / "kubectl.json"
        clusters.write_kubeconfig(config, self.sites)
        binary = str(self._kubebox[self.sites[site].minor])
        command = [binary, "kubectl", f"--kubeconfig={config}", f"--context={site}", *arguments]
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], **variables}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=_PATIENCE)
        assert done.returncode == code, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def disks(self, names: Iterable[str]) -> None:
        """Give every cluster volumes, of a class whose claims wait for their pod as those of K3s do."""
        shared = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "shop"}}
        settings = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
        spec = {
            "capacity": {"storage": "2Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "shop",
            "hostPath": {"path": "/nowhere"},
        }
        for cluster in self.sites.values():
            api = cluster.api()
            made = api.call("POST", "/apis/storage.k8s.io/v1/storageclasses", {**shared, **settings})
            assert made.status in {201, 409}, made.text
            for name in names:
                meta = {"name": f"{self.namespace}-{name}"}
                volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}
                made = api.call("POST", "/api/v1/persistentvolumes", volume)
                assert made.status == 201, made.text

    # --- what is there

    def place(self, site: str) -> talking.Place:
        """Return the bundle's namespace at a site."""
        return talking.Place(self.sites[site].api(), self.namespace)

    def everywhere(self, look: Callable[[talking.Place], object]) -> dict[str, Any]:
        """Look at every site."""
        return {site: look(self.place(site)) for site in SITES}

    def parent(self, site: str) -> dict[str, str]:
        """Return what the set's parent says of us, by annotation without its prefix."""
        found: dict[str, str] = self.place(site).get("secrets", "app")["metadata"]["annotations"]
        return {key.removeprefix("fleetctl.dev/"): value for key, value in found.items()}

    def image(self, site: str) -> str:
        """Return the image of the Deployment ``web``."""
        found: str = self.place(site).get("deployments", "web")["spec"]["template"]["spec"]["containers"][0]["image"]
        return found

    # --- the journal

    @contextlib.contextmanager
    def journal(self) -> Iterator[databases.Store]:
        """Open the project's journal."""
        with databases.open_store(self.folder / ".fleetctl" / "state.db") as store:
            yield store

    def rows(self, run: str) -> dict[str, runs.Row]:
        """Return what the journal says of each site of a run."""
        with self.journal() as store:
            return {row.site: row for row in store.read(lambda conn: runs.sites(conn, run))}

    def latest(self) -> str:
        """Return the run that began last."""
        with self.journal() as store:
            return store.read(lambda conn: runs.all_of(conn, None))[0].id

    def outcomes(self, run: str) -> dict[str, str | None]:
        """Return each site's outcome in a run."""
        return {site: row.outcome and str(row.outcome) for site, row in self.rows(run).items()}

    def kill(self) -> None:
        """End the commands that a failed test left running."""
        for started in self.started:
            if started.process.poll() is None:
                started.kill()

    def close(self) -> None:
        """End what still runs; a journal must hold together whatever happened."""
        self.kill()
        if (self.folder / ".fleetctl" / "state.db").exists():
            with self.journal() as store:
                assert store.read(checking.check) == []
