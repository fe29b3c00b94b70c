"""Rebuild ``fleetctl/openapi/kubernetes.json.gz`` from Kubernetes' own modules, byte for byte.

    python tests/openapi/rebuild.py           # writes the data and kubernetes.txt beside it
    python tests/openapi/rebuild.py --check   # only tells whether they are what the modules give

To add a minor: give it a line in ``MINORS``, drop the oldest, set ``NEWEST_API`` to the same release, run this, and run
the tests: one holds the kinds of ``fleetctl.model.objects`` to the data. Needs Go on PATH, which fetches the modules
(about 20 MB a minor) and holds them to its checksum database.

What is taken, and from where:

- schemas and resources: ``api/openapi-spec/v3/*.json`` of k8s.io/kubernetes, without descriptions and defaults;
- enums: ``pkg/generated/openapi/zz_generated.openapi.go`` of the same module, as that specification is published
  without them;
- versions of the API that are gone, and since when: ``zz_generated.prerelease-lifecycle.go`` of k8s.io/api and of the
  two other modules with kinds. ``OLD_API`` is a release that still knew kinds that have been deleted since.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

MINORS = {"1.34": "v1.34.4", "1.35": "v1.35.4", "1.36": "v1.36.3", "1.37": "v1.37.2"}
NEWEST_API, OLD_API = "v0.37.2", "v0.24.17"
LIFECYCLES = (
    ("k8s.io/api", NEWEST_API),
    ("k8s.io/api", OLD_API),
    ("k8s.io/apiextensions-apiserver", NEWEST_API),
    ("k8s.io/kube-aggregator", NEWEST_API),
)
TARGET = pathlib.Path(__file__).resolve().parents[2] / "fleetctl" / "openapi" / "kubernetes.json.gz"
NOTICE = TARGET.with_name("kubernetes.txt")

# What a check can use; everything else (descriptions, defaults, hints for patches) is left out.
KEPT = (
    "$ref",
    "additionalProperties",
    "enum",
    "format",
    "items",
    "oneOf",
    "properties",
    "required",
    "type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
)
_WRITES = {"apply", "patch", "post", "put"}
_ENUM = re.compile(r"Enum:\s+\[\]interface\{\}\{(.*)\},$")
_REMOVED = re.compile(r"func \(in \*(\w+)\) APILifecycleRemoved\(\) \(major, minor int\) \{\s*return (\d+), (\d+)\s*\}")
_GROUP = re.compile(r'GroupName\s*=\s*"([^"]*)"')

Json = dict[str, Any]


class Module:
    """The files of one Go module."""

    def __init__(self, path: str, version: str) -> None:
        done = subprocess.run(
            ["go", "mod", "download", "-json", f"{path}@{version}"],  # noqa: S607  # the Go on PATH
            check=True,
            capture_output=True,
            text=True,
        )
        said = json.loads(done.stdout)
        self.name, self.sum = f"{path} {version}", said["Sum"]
        self._archive = zipfile.ZipFile(said["Zip"])
        self._root = f"{path}@{version}/"

    def files(self, start: str, end: str) -> Iterator[str]:
        """Yield the paths that start and end like this."""
        names = (name.removeprefix(self._root) for name in self._archive.namelist())
        yield from sorted(name for name in names if name.startswith(start) and name.endswith(end))

    def text(self, path: str) -> str:
        """Return one file."""
        return self._archive.read(self._root + path).decode()

    def has(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return self._root + path in self._archive.namelist()


def slim(schema: Json) -> Json:
    """Return what a check can use of a schema."""
    kept: Json = {key: schema[key] for key in KEPT if key in schema}
    if "allOf" in schema:  # how a reference with a description or default is written
        (inner,) = schema["allOf"]
        kept["$ref"] = inner["$ref"]
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].removeprefix("#/components/schemas/")
    if "properties" in kept:
        kept["properties"] = {name: slim(inner) for name, inner in kept["properties"].items()}
    if "oneOf" in kept:
        kept["oneOf"] = [slim(inner) for inner in kept["oneOf"]]
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = slim(kept[key])
    unknown = {key for key in schema if key.startswith("x-kubernetes-")} - set(KEPT) - _IGNORED
    if unknown:
        sys.exit(f"extensions that nobody has looked at yet: {', '.join(sorted(unknown))}")
    return kept


# Hints for patches by kubectl, for unions, for atomic maps, and what kinds a schema stands for (read from paths).
_IGNORED = {
    "x-kubernetes-group-version-kind",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-unions",
}


def enums(source: str) -> Iterator[tuple[str, str, bool, list[str]]]:
    """Yield definition, property, whether its items are meant, and the words, from generated Go."""
    definition = name = ""
    for line in source.split("\n"):
        if line.startswith("func schema_"):
            definition = line.removeprefix("func schema_").partition("(")[0].replace("_", ".")
        elif line.startswith("\t" * 5 + '"') and line.endswith('": {'):
            name = line.split('"')[1]
        elif found := _ENUM.search(line):
            depth = len(line) - len(line.lstrip("\t"))
            yield definition, name, depth > 7, json.loads(f"[{found[1]}]")


def _named(definition: str) -> str:
    """Return the name in the specification of a definition in Go: ``k8sio.api.core.v1.Pod``."""
    for start, full in (("k8sio.api.", "io.k8s.api."), ("pkg.apis.", "io.k8s.apiextensions-apiserver.pkg.apis.")):
        if definition.startswith(start):
            return full + definition.removeprefix(start)
    return definition


def definitions(module: Module) -> dict[str, Json]:
    """Return the schemas of a minor by name, enums put in."""
    found: dict[str, Json] = {}
    for path in module.files("api/openapi-spec/v3/", ".json"):
        for name, schema in json.loads(module.text(path)).get("components", {}).get("schemas", {}).items():
            kept = slim(schema)
            if found.setdefault(name, kept) != kept:
                sys.exit(f"{module.name}: {name} differs between files")
    for definition, name, of_items, words in enums(module.text("pkg/generated/openapi/zz_generated.openapi.go")):
        schema = found.get(_named(definition), {}).get("properties", {}).get(name)
        if schema is None:
            continue  # a version of the API that is not served any more
        at = schema.get("items", schema.get("additionalProperties")) if of_items else schema
        at["enum"] = words
    return found


def kinds(module: Module) -> Json:
    """Return ``group/version -> kind -> [definition, namespaced]`` of all that can be written."""
    found: Json = {}
    for path in module.files("api/openapi-spec/v3/", ".json"):
        document = json.loads(module.text(path))
        named = _definitions_of_kinds(document)
        for url, item in document.get("paths", {}).items():
            written = [verb["x-kubernetes-group-version-kind"] for verb in item.values() if _writes(verb)]
            if not written or not _whole(url):
                continue
            of = written[0]
            version = f"{of['group']}/{of['version']}".lstrip("/")
            found.setdefault(version, {})[of["kind"]] = [named[version, of["kind"]], "/namespaces/{namespace}/" in url]
    return found


def _writes(verb: object) -> bool:
    return isinstance(verb, dict) and verb.get("x-kubernetes-action") in _WRITES


def _whole(url: str) -> bool:
    """Tell whether a path is that of objects, not of a part of one such as ``/status``."""
    after = url.removesuffix("/{name}").removesuffix("/")
    return not after.rpartition("/")[0].endswith("/{name}")


def _definitions_of_kinds(document: Json) -> dict[tuple[str, str], str]:
    return {
        (f"{of['group']}/{of['version']}".lstrip("/"), of["kind"]): name
        for name, schema in document.get("components", {}).get("schemas", {}).items()
        for of in schema.get("x-kubernetes-group-version-kind", ())
    }


def reachable(schemas: dict[str, Json], roots: set[str]) -> set[str]:
    """Return the names of all schemas that these lead to."""
    seen: set[str] = set()
    waiting = set(roots)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(schemas[name]))) - seen
    return seen


def gone(modules: list[Module], newest: str) -> dict[str, dict[str, str]]:
    """Return ``group/version -> kind -> first minor without it``, as far as the newest minor shipped."""
    found: dict[str, dict[str, str]] = {}
    for module in modules:
        for path in module.files("", "/zz_generated.prerelease-lifecycle.go"):
            folder, _, version = path.rpartition("/")[0].rpartition("/")
            register = next(
                one for one in (f"{folder}/{version}/register.go", f"{folder}/register.go") if module.has(one)
            )
            group = _GROUP.search(module.text(register))
            if group is None:
                sys.exit(f"{module.name}: {register} names no group")
            for kind, major, minor in _REMOVED.findall(module.text(path)):
                since = f"{major}.{minor}"
                if not kind.endswith("List") and _order(since) <= _order(newest):
                    found.setdefault(f"{group[1]}/{version}".lstrip("/"), {}).setdefault(kind, since)
    return found


def _order(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


def build() -> tuple[bytes, str]:
    """Return the data and the notice that goes with it."""
    pool: dict[str, int] = {}
    minors: Json = {}
    sources = {minor: Module("k8s.io/kubernetes", version) for minor, version in MINORS.items()}
    for minor, module in sources.items():
        schemas, of_minor = definitions(module), kinds(module)
        roots = {name for of_version in of_minor.values() for name, _ in of_version.values()}
        texts = [json.dumps([name, schemas[name]], sort_keys=True) for name in sorted(reachable(schemas, roots))]
        minors[minor] = {
            "version": MINORS[minor],
            "kinds": of_minor,
            "schemas": sorted(pool.setdefault(text, len(pool)) for text in texts),
        }
    lifecycles = [Module(path, version) for path, version in LIFECYCLES]
    data = {
        "gone": gone(lifecycles, max(MINORS, key=_order)),
        "minors": minors,
        "schemas": [json.loads(text) for text in pool],
    }
    text = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
    return gzip.compress(text, 9, mtime=0), _notice([*sources.values(), *lifecycles], text)


def _notice(modules: list[Module], text: bytes) -> str:
    lines = "\n".join(f"    {module.name}  {module.sum}" for module in modules)
    return f"""\
kubernetes.json.gz holds definitions of the Kubernetes API, made by tests/openapi/rebuild.py from these modules (with
the checksums that Go's checksum database has for them):

{lines}

They are Copyright The Kubernetes Authors and licensed under the Apache License, Version 2.0, the licence of fleetctl
too (LICENSE). The data differs from its sources: descriptions and defaults were left out, equal definitions of several
minors are stored once, enums were added from the generated Go code of the same module, and the dates of removal from
the annotations of the API's types.

{len(text):,} bytes of JSON, sha256 {hashlib.sha256(text).hexdigest()}
"""


def main() -> None:
    """Build and write, or compare."""
    parser = argparse.ArgumentParser(description="Rebuild the definitions of Kubernetes.")
    parser.add_argument("--check", action="store_true", help="compare, and exit with 1 on a difference")
    check = parser.parse_args().check
    data, notice = build()
    if check:
        same = TARGET.read_bytes() == data and NOTICE.read_text(encoding="utf-8") == notice
        sys.stdout.write(f"{'the same' if same else 'different'}: {len(data):,} bytes\n")
        sys.exit(not same)
    TARGET.write_bytes(data)
    NOTICE.write_text(notice, encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(data):,} bytes\n")


if __name__ == "__main__":
    main()
