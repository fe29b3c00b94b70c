"""Hold our schemas against the language server that editors run: yaml-language-server, over its own protocol.

    python tests/editors/languageserver.py PATH/TO/yaml-language-server

`nox -s editor` installs the server and runs this. Every good document and every file that we ship must open without a
word, and every bad one must be marked at the line that its case names. Ends with 1 when one is not.
"""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "unit" / "schema" / "documents.yaml"
SHIPPED = (
    "inventories/*/fleetctl.yaml",
    "inventories/*/inventory/**/*.yaml",
    "templates/*/bundle.yaml",
)

Json = dict[str, Any]
Verdict = tuple[str, bool, str]
"""What was asked, whether the answer was the one wanted, and the answer."""


class Server:
    """The language server as a process that we speak LSP to."""

    def __init__(self, command: str, schemas: pathlib.Path) -> None:
        self._process = subprocess.Popen(  # the program that the caller named
            [command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._settings = {
            "yaml": {
                "schemas": {(schemas / "fleetctl.schema.json").as_uri(): ["*.yaml"]},
                "customTags": ["!unset"],
                "schemaStore": {"enable": False},
                "validate": True,
                "hover": True,
                "completion": True,
            }
        }
        self._ids = iter(range(1, 1_000_000))
        capabilities = {"textDocument": {"publishDiagnostics": {}}, "workspace": {"configuration": True}}
        self.ask("initialize", {"processId": None, "rootUri": ROOT.as_uri(), "capabilities": capabilities})
        self._send({"method": "initialized", "params": {}})

    def ask(self, method: str, params: Json) -> Any:  # noqa: ANN401  # whatever is asked for
        """Return the answer to a question."""
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        return next(one for one in self._heard() if one.get("id") == number and "method" not in one)["result"]

    def diagnostics(self, uri: str, text: str) -> list[Json]:
        """Open a document and return what the server has to say about it."""
        opened = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": opened}})
        told = (one for one in self._heard() if one.get("method") == "textDocument/publishDiagnostics")
        found: list[Json] = next(one["params"]["diagnostics"] for one in told if one["params"]["uri"] == uri)
        return found

    def offers(self, uri: str, line: int, column: int) -> set[str]:
        """Return what the server would complete at a place, counted from 0."""
        at = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
        return {one["label"] for one in self.ask("textDocument/completion", at)["items"]}

    def hover(self, uri: str, line: int, column: int) -> str:
        """Return what the server says of a place, counted from 0."""
        at = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
        return str(self.ask("textDocument/hover", at))

    def close(self) -> None:
        """End the process."""
        self.ask("shutdown", {})
        self._send({"method": "exit"})
        self._process.wait(10)

    def _send(self, message: Json) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _heard(self) -> Iterator[Json]:
        """Yield what the server says; what it asks of an editor is answered on the way."""
        while True:
            message = self._read()
            if "id" in message and "method" in message:
                asked = message.get("params", {}).get("items", [])
                answer = [self._settings.get(item.get("section"), None) for item in asked]
                self._send({"id": message["id"], "result": answer if asked else None})
            yield message

    def _read(self) -> Json:
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        found: Json = json.loads(self._process.stdout.read(length))
        return found


def _documents() -> Iterator[tuple[str, str, int | None]]:
    """Yield a name, a text, and the line of its fault; None for a text without one."""
    for case in yaml.load(CASES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
        # What a schema cannot see is in the cases to say so.
        line = case.get("line") if case.get("schema", True) else None
        yield case["name"], case["text"], line
    for pattern in SHIPPED:
        for path in sorted(ROOT.glob(pattern)):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), None


def _marked(server: Server, folder: pathlib.Path) -> Iterator[Verdict]:
    """Open every document."""
    for number, (name, text, line) in enumerate(_documents()):
        found = server.diagnostics((folder / f"{number}.yaml").as_uri(), text)
        lines = {one["range"]["start"]["line"] + 1 for one in found}
        said = "; ".join(f"line {one['range']['start']['line'] + 1}: {one['message']}" for one in found) or "nothing"
        yield name, (line in lines if line else not found), said


def _helped(server: Server, folder: pathlib.Path) -> Iterator[Verdict]:
    """Type into a document: keys and values are offered, and a key is explained."""
    uri = (folder / "typing.yaml").as_uri()
    text = "apiVersion: fleetctl.dev/v1alpha1\nkind: SiteList\nsites:\n- name: store-00412\n  state: \n  \n"
    server.diagnostics(uri, text)
    for what, place, wanted in (
        ("values", (4, 9), {"planned", "active", "maintenance", "retired"}),
        ("keys", (5, 2), {"access", "cluster", "labels", "vars", "window"}),
    ):
        offered = server.offers(uri, *place)
        yield f"offered {what}", offered >= wanted, ", ".join(sorted(offered))
    said = server.hover(uri, 4, 3)
    yield "hover", "Where the site is in its life" in said, said
    # A modeline goes before the settings, with a path relative to its file.
    text = "# yaml-language-server: $schema=Group.schema.json\napiVersion: fleetctl.dev/v1alpha1\nkind: Project\n"
    found = server.diagnostics((folder / "modeline.yaml").as_uri(), text)
    yield "modeline", any('must be "Group"' in one["message"] for one in found), str([one["message"] for one in found])


def main(command: str) -> int:
    """Ask the server about every document; returns how many answers were not the ones wanted."""
    counts: collections.Counter[bool] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        fleetctl = [sys.executable, "-m", "fleetctl", "schema", "--out", name]
        subprocess.run(fleetctl, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        folder = pathlib.Path(name)
        server = Server(command, folder)
        for what, right, said in (*_marked(server, folder), *_helped(server, folder)):
            counts[right] += 1
            sys.stdout.write(f"{'ok   ' if right else 'WRONG'} {what}: {said}\n")
        server.close()
    sys.stdout.write(f"{counts[True]} right, {counts[False]} wrong\n")
    return counts[False]


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1]), 1))
