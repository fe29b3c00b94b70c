"""Verdicts beside those of kstatus itself, and every difference with its reason.

``kstatus.txt`` has its answers to the objects of ``corpus``: see tests/kstatus/record.
"""

import json
import pathlib
import re
from typing import Final

from fleetctl.kube import views, workloads
from fleetctl.model import objects
from tests.unit.kube import cluster, corpus

_HERE = pathlib.Path(__file__).parent
_SAID = {"Current": "current", "InProgress": "progressing", "Failed": "failed", "Terminating": "terminating"}

# Patterns of a line: the object's name, kstatus' verdict, ours.
_DIFFERENCES: Final = {
    "what our apply made was seen, and more besides": r"seen 3 InProgress (current|progressing|failed)",
    "Available counts where there is no Ready": r"Certificate .*'Available', '(False|Unknown)'.* Current progressing",
    "an aggregated API is for its backend": r"api-service Current progressing",
    "a load balancer is for its address": r"load-balancer Current progressing",
    "a claim may wait for its first pod": r"claim-late InProgress current",
    "OnDelete and paused leave old pods on purpose": r"(daemon-set-on-delete|deployment-paused) InProgress current",
    "a suspended Job is as wanted": r"job-suspended InProgress current",
    "a Job that runs is not done": r"job-(running|no-image) Current progressing",
    "pods tell earlier": r"deployment-(bad-image-name|crashing|never-pulled|no-node|oom) InProgress failed",
    "a namespace that goes is of no use": r"Namespace phase Terminating Current terminating",
    "a volume whose reclamation failed needs somebody": r"PersistentVolume phase Failed Current failed",
    "a pod that failed did not do its work": r"Pod phase Failed Current failed",
    "phases that no pod has are an error there": r"Pod phase \w+ error progressing",
}


def _ours(name: str, body: cluster.Json) -> str:
    seen = {}
    recorded = _HERE / "recorded" / f"{name}.json"
    if recorded.exists():
        seen = json.loads(recorded.read_text(encoding="utf-8"))
        del seen["object"]
    meta = body["metadata"]
    group = objects.group_of(body["apiVersion"])
    identity = objects.ObjectId(group, body["kind"], meta.get("namespace", ""), meta["name"])
    view = views.View(identity, json.dumps(body).encode(), around=cluster.listed(**seen), since=60.0)
    return str(workloads.verdict(view).state)


def test_as_kstatus_says() -> None:
    """The same verdict on each object, save for the listed differences; and each of those is still one."""
    said = (_HERE / "kstatus.txt").read_text(encoding="utf-8").split()
    unlike = [
        line
        for (name, body), word in zip(corpus.corpus(), said, strict=True)
        if (ours := _ours(name, body)) != _SAID.get(word) and (line := f"{name} {word} {ours}")
    ]
    met = {reason for reason, pattern in _DIFFERENCES.items() if any(re.search(pattern, line) for line in unlike)}
    unexplained = [line for line in unlike if not any(re.search(one, line) for one in _DIFFERENCES.values())]
    assert unexplained == []
    assert met == set(_DIFFERENCES)
    assert len(said) > 400
