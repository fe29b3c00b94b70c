"""What is applied to a real cluster to see each rule of health at work, and the verdict that has to come.

``tests/integration/test_health.py`` applies them; what the cluster then shows is kept in ``recorded/NAME.json``, and
``test_health.py`` judges that. An image's tag says how its pods fare: see tests/kubebox/stages/pods.yaml.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from fleetctl.model import outcomes
from tests.contract import talking

__all__ = ["PATHS", "SCENARIOS", "SHARED", "Json", "Scenario"]

Json = dict[str, Any]

_CURRENT, _PROGRESSING, _FAILED = outcomes.State.CURRENT, outcomes.State.PROGRESSING, outcomes.State.FAILED

PATHS: Final = {
    "APIService": "apis/apiregistration.k8s.io/v1/apiservices",
    "ConfigMap": "api/v1/namespaces/{}/configmaps",
    "CronJob": "apis/batch/v1/namespaces/{}/cronjobs",
    "CustomResourceDefinition": "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "DaemonSet": "apis/apps/v1/namespaces/{}/daemonsets",
    "Deployment": "apis/apps/v1/namespaces/{}/deployments",
    "FlowSchema": "apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
    "HorizontalPodAutoscaler": "apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "Ingress": "apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "Job": "apis/batch/v1/namespaces/{}/jobs",
    "PersistentVolume": "api/v1/persistentvolumes",
    "PersistentVolumeClaim": "api/v1/namespaces/{}/persistentvolumeclaims",
    "Pod": "api/v1/namespaces/{}/pods",
    "PodDisruptionBudget": "apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "ReplicaSet": "apis/apps/v1/namespaces/{}/replicasets",
    "ReplicationController": "api/v1/namespaces/{}/replicationcontrollers",
    "ResourceQuota": "api/v1/namespaces/{}/resourcequotas",
    "Service": "api/v1/namespaces/{}/services",
    "StatefulSet": "apis/apps/v1/namespaces/{}/statefulsets",
    "StorageClass": "apis/storage.k8s.io/v1/storageclasses",
    "ValidatingAdmissionPolicy": "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "Widget": "apis/health.example.com/v1/namespaces/{}/widgets",
}
"""Where objects of a kind lie; the place is for the namespace."""


SHARED: Final = frozenset({"widgets.health.example.com", "health-late", "health-now"})
"""Objects outside namespaces that several scenarios need."""


class Scenario(NamedTuple):
    """What is applied, and the verdict on the last of it."""

    rule: str
    """The row of docs/reference/health.md: kind and what is seen, with a comma between."""
    objects: list[Json]
    state: outcomes.State = _CURRENT
    message: str = ""
    cause: str = ""
    then: Json | None = None
    """What is applied once the last object is ``current``; the verdict is on that."""
    status: Json | None = None
    """What is written into its status, as a controller that is not here would."""
    since: float = 10.0
    """Seconds since it was applied, for those who judge the recording."""


def _object(kind: str, version: str, name: str, **fields: object) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def _pod(image: str = "app:1.0", **spec: object) -> Json:
    containers = [{"name": "app", "image": image}]
    return _object("Pod", "v1", "web", spec={"containers": containers, **spec})


def _claim(storage_class: str) -> Json:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": storage_class,
    }
    return _object("PersistentVolumeClaim", "v1", "data", spec=spec)


def _class(name: str, binding: str) -> Json:
    found = _object("StorageClass", "storage.k8s.io/v1", name)
    return {**found, "provisioner": "example.com/nothing", "volumeBindingMode": binding}


def _volume(name: str, storage_class: str) -> Json:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/data"},
        "storageClassName": storage_class,
    }
    return _object("PersistentVolume", "v1", name, spec=spec)


def _service(**spec: object) -> Json:
    return _object("Service", "v1", "web", spec={"ports": [{"port": 80}], "selector": {"app": "web"}, **spec})


def _named(body: Json, name: str) -> Json:
    return {**body, "metadata": {"name": name}}


def _policy() -> Json:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["bindings"]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "true"}]}
    return _object("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "health.example.com", spec=spec)


def _definition() -> Json:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget"}
    spec = {
        "group": "health.example.com",
        "names": names,
        "scope": "Namespaced",
        "versions": [{**version, "subresources": {"status": {}}}],
    }
    name = "widgets.health.example.com"
    return _object("CustomResourceDefinition", "apiextensions.k8s.io/v1", name, spec=spec)


def _clash() -> Json:
    found = _definition()
    names = {"kind": "Widgetto", "plural": "widgettos", "singular": "widget"}
    return {**_named(found, "widgettos.health.example.com"), "spec": {**found["spec"], "names": names}}


def _widget(*told: tuple[str, str, str], seen: int = 1) -> tuple[list[Json], Json]:
    """Return the definition and an object of it, and what its controller tells: type, status, reason."""
    at = "2026-11-27T10:00:00Z"
    conditions = [
        {"type": kind, "status": status, "reason": reason, "message": f"it is {reason}", "lastTransitionTime": at}
        for kind, status, reason in told
    ]
    one = _object("Widget", "health.example.com/v1", "w", spec={"size": 1})
    return [_definition(), one], {"observedGeneration": seen, "conditions": conditions}


def _told(rule: str, *told: tuple[str, str, str], seen: int = 1, **verdict: Any) -> Scenario:  # noqa: ANN401 - fields
    applied, status = _widget(*told, seen=seen)
    return Scenario(rule, applied, status=status, **verdict)


def _job(image: str = "app:1.0", **spec: object) -> Json:
    return talking.job("once", image, **spec)


def _unready(image: str, **spec: object) -> list[Json]:
    return [talking.deployment("web", image, **spec)]


_LATE: Final = [_class("health-late", "WaitForFirstConsumer")]
_UNBOUND: Final = "not bound to a volume yet"
_NONE_READY: Final = "0 of 1 pod of the new template ready"
_NO_QUOTA: Final = _object("ResourceQuota", "v1", "none", spec={"hard": {"pods": "0"}})
_HUGE: Final = {"requests": {"cpu": "500"}}
_RAISE: Final = {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
_NEXT_FAILS: Final = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]


def _huge(body: Json) -> Json:
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = _HUGE
    return body


_APPLIED: Final = "Kinds without a verdict of their own, applied"
_PODS: Final = "Deployment, pods of the new template are missing or not ready"
_PAST: Final = "Deployment, it made no progress within its progressDeadlineSeconds"
_STATEFUL: Final = "StatefulSet, pods of the new template are missing or not ready"
_FAILED_JOB: Final = "Job, Failed is true"

SCENARIOS: Final[dict[str, Scenario]] = {
    # --- applied is enough
    "config-map": Scenario(_APPLIED, [talking.config_map("one", {"a": "b"})]),
    "resource-quota": Scenario(_APPLIED, [_object("ResourceQuota", "v1", "one", spec={"hard": {"pods": "5"}})]),
    "disruption-budget": Scenario(
        _APPLIED,
        [
            _object(
                "PodDisruptionBudget",
                "policy/v1",
                "web",
                spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
            )
        ],
    ),
    "autoscaler": Scenario(_APPLIED, [_object("HorizontalPodAutoscaler", "autoscaling/v2", "web", spec=_RAISE)]),
    "ingress": Scenario(
        _APPLIED,
        [
            _object(
                "Ingress",
                "networking.k8s.io/v1",
                "web",
                spec={"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
            )
        ],
    ),
    "cron-job": Scenario(
        _APPLIED,
        [
            _object(
                "CronJob",
                "batch/v1",
                "nightly",
                spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": _job()["spec"]["template"]}}},
            )
        ],
    ),
    "flow-schema": Scenario(
        _APPLIED,
        [
            _object(
                "FlowSchema",
                "flowcontrol.apiserver.k8s.io/v1",
                "health",
                spec={"priorityLevelConfiguration": {"name": "nowhere"}, "matchingPrecedence": 9000},
            )
        ],
    ),
    "admission-policy": Scenario(_APPLIED, [_policy()]),
    # --- definitions and aggregated APIs
    "definition": Scenario("CustomResourceDefinition, Established is true", [_definition()]),
    "definition-clash": Scenario(
        "CustomResourceDefinition, its names are taken",
        [_definition(), _clash()],
        _FAILED,
        "its names are taken",
        "SingularConflict",
    ),
    "api-service": Scenario(
        "APIService, Available is not true",
        [
            _object(
                "APIService",
                "apiregistration.k8s.io/v1",
                "v1.nothing.example.com",
                spec={
                    "group": "nothing.example.com",
                    "version": "v1",
                    "groupPriorityMinimum": 100,
                    "versionPriority": 10,
                    "insecureSkipTLSVerify": True,
                    "service": {"namespace": "default", "name": "nothing"},
                },
            )
        ],
        _PROGRESSING,
        "Available is False: ServiceNotFound",
        "ServiceNotFound",
    ),
    # --- custom resources
    "custom-no-status": Scenario(
        "Custom resource, no status for 15 seconds", _widget()[0], _CURRENT, "no status", since=15
    ),
    "custom-no-status-yet": Scenario(
        "Custom resource, no status yet", _widget()[0], _PROGRESSING, "no status yet", since=14
    ),
    "custom-ready": _told("Custom resource, Ready or Available is true", ("Ready", "True", "Done")),
    "custom-not-ready": _told(
        "Custom resource, Ready or Available is not true",
        ("Ready", "False", "NoDisk"),
        state=_PROGRESSING,
        message="Ready is False: NoDisk",
        cause="NoDisk",
    ),
    "custom-reconciling": _told(
        "Any kind, Reconciling is true",
        ("Reconciling", "True", "Issuing"),
        ("Ready", "True", "Done"),
        state=_PROGRESSING,
        message="Reconciling is True: Issuing",
        cause="Issuing",
    ),
    "custom-stalled": _told(
        "Any kind, Stalled is true",
        ("Stalled", "True", "NoIssuer"),
        state=_FAILED,
        message="Stalled is True: NoIssuer",
        cause="NoIssuer",
    ),
    "custom-behind": _told(
        "Custom resource, its controller has not seen the generation",
        ("Ready", "True", "Done"),
        seen=0,
        state=_PROGRESSING,
        message="not yet seen by its controller (generation 1, observed 0)",
    ),
    "custom-other-conditions": _told("Custom resource, none of these conditions", ("Programmed", "False", "No")),
    # --- Services and volumes
    "service": Scenario("Service, of another type", [_service()]),
    "load-balancer": Scenario(
        "Service, of type LoadBalancer without an address",
        [_service(type="LoadBalancer", loadBalancerClass="example.com/nobody")],
        _PROGRESSING,
        "no address from a load balancer yet",
    ),
    "load-balancer-address": Scenario(
        "Service, of type LoadBalancer with an address",
        [_service(type="LoadBalancer", loadBalancerClass="example.com/nobody")],
        status={"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}},
    ),
    "volume": Scenario("PersistentVolume, in another phase", [_volume("health-free", "health-other")]),
    "claim-bound": Scenario(
        "PersistentVolumeClaim, Bound", [_volume("health-data", "health-static"), _claim("health-static")]
    ),
    "claim-late": Scenario(
        "PersistentVolumeClaim, of a class with WaitForFirstConsumer and used by no pod",
        [*_LATE, _claim("health-late")],
        message="not bound yet: its volume is made for the first pod that uses it",
    ),
    "claim-late-used": Scenario(
        "PersistentVolumeClaim, not Bound",
        [
            *_LATE,
            _pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]),
            _claim("health-late"),
        ],
        _PROGRESSING,
        _UNBOUND,
    ),
    "claim-immediate": Scenario(
        "PersistentVolumeClaim, not Bound",
        [_class("health-now", "Immediate"), _claim("health-now")],
        _PROGRESSING,
        _UNBOUND,
    ),
    # --- pods and Jobs
    "pod-ready": Scenario("Pod, Ready or succeeded", [_pod()]),
    "pod-slow": Scenario("Pod, not Ready", [_pod("app:1.0-unready")], _PROGRESSING, "running, not ready", "Unhealthy"),
    "job-complete": Scenario("Job, Complete is true", [_job()]),
    "job-running": Scenario("Job, it runs", [_job("app:1.0-slow60")], _PROGRESSING, "0 of 1 done, 1 running", since=1),
    "job-failed": Scenario(
        _FAILED_JOB, [_job("app:1.0-fail")], _FAILED, "0 of 1 done, 1 failed", "BackoffLimitExceeded"
    ),
    "job-failed-by-policy": Scenario(
        _FAILED_JOB,
        [_job("app:1.0-fail", backoffLimit=5, podFailurePolicy={"rules": _NEXT_FAILS})],
        _FAILED,
        "0 of 1 done, 1 failed",
        "PodFailurePolicy",
    ),
    "job-succeeded-by-policy": Scenario(
        "Job, Complete is true",
        [
            _job(
                completions=3,
                parallelism=1,
                completionMode="Indexed",
                successPolicy={"rules": [{"succeededCount": 1}]},
            )
        ],
    ),
    "job-late": Scenario(
        _FAILED_JOB,
        [_job("app:1.0-slow60", activeDeadlineSeconds=1)],
        _FAILED,
        "0 of 1 done, 1 failed",
        "DeadlineExceeded",
    ),
    "job-suspended": Scenario(
        "Job, suspended, or its parallelism is 0",
        [_job(suspend=True)],
        message="suspended: it does not run until somebody resumes it",
    ),
    "job-parallelism-0": Scenario(
        "Job, suspended, or its parallelism is 0",
        [_job(parallelism=0)],
        message="parallelism 0: it does not run until somebody raises it",
    ),
    "job-no-image": Scenario(
        "Job, it runs",
        [_job("app:1.0-missing")],
        _PROGRESSING,
        "0 of 1 done, 1 running",
        "ImagePullBackOff",
    ),
    # --- Deployments
    "deployment": Scenario(
        "Deployment, all pods of the new template are available", [talking.deployment("web", replicas=2)]
    ),
    "deployment-new-template": Scenario(
        "Deployment, all pods of the new template are available",
        [talking.deployment("web")],
        then=talking.deployment("web", "app:2.0"),
    ),
    "deployment-recreate": Scenario(
        "Deployment, all pods of the new template are available",
        [talking.deployment("web", strategy={"type": "Recreate"})],
        then=talking.deployment("web", "app:2.0", strategy={"type": "Recreate"}),
    ),
    "deployment-scaled-to-0": Scenario(
        "Deployment, all pods of the new template are available", [talking.deployment("web", replicas=0)]
    ),
    "deployment-old-pods-serve": Scenario(
        _PODS,
        [talking.deployment("web")],
        _PROGRESSING,
        _NONE_READY,
        "ImagePullBackOff",
        then=talking.deployment("web", "app:2.0-missing"),
    ),
    "deployment-unready": Scenario(_PODS, _unready("app:1.0-unready"), _PROGRESSING, _NONE_READY, "Unhealthy"),
    "deployment-min-ready": Scenario(
        "Deployment, pods are Ready but not for minReadySeconds",
        _unready("app:1.0", minReadySeconds=300),
        _PROGRESSING,
        "1 of 1 pod of the new template ready, not yet for 300 s",
    ),
    "deployment-paused": Scenario(
        "Deployment, paused",
        [talking.deployment("web")],
        message="paused: its pods keep the old template",
        then=talking.deployment("web", "app:2.0", paused=True),
    ),
    "deployment-past-deadline": Scenario(
        _PAST,
        _unready("app:1.0-unready", progressDeadlineSeconds=1),
        _FAILED,
        f"{_NONE_READY}, no progress within 1 s",
        "Unhealthy",
    ),
    "deployment-quota": Scenario(
        _PODS, [_NO_QUOTA, talking.deployment("web")], _PROGRESSING, _NONE_READY, "FailedCreate"
    ),
    "deployment-no-node": Scenario(
        "Unschedulable, it was seen",
        [_huge(talking.deployment("web"))],
        _PROGRESSING,
        _NONE_READY,
        "Unschedulable",
    ),
    "deployment-bad-image-name": Scenario(
        "InvalidImageName, at once", _unready("shop/Till:1.0"), _FAILED, _NONE_READY, "InvalidImageName"
    ),
    "deployment-never-pulled": Scenario(
        "ErrImageNeverPull, at once",
        [
            _object(
                "Pod",
                "v1",
                "web",
                spec={"containers": [{"name": "app", "image": "app:1.0-missing", "imagePullPolicy": "Never"}]},
            )
        ],
        _FAILED,
        "pending",
        "ErrImageNeverPull",
    ),
    "deployment-config": Scenario(
        "CreateContainerConfigError, it was seen",
        _unready("app:1.0-config"),
        _PROGRESSING,
        _NONE_READY,
        "CreateContainerConfigError",
    ),
    "deployment-crashing": Scenario(
        "CrashLoopBackOff, at 3 restarts", _unready("app:1.0-crash"), _FAILED, _NONE_READY, "CrashLoopBackOff"
    ),
    "deployment-oom": Scenario(
        "CrashLoopBackOff, at 3 restarts", _unready("app:1.0-oom"), _FAILED, _NONE_READY, "OOMKilled"
    ),
    # --- ReplicaSets
    "replica-set": Scenario(
        "ReplicaSet, all pods are available", [{**talking.deployment("web"), "kind": "ReplicaSet"}]
    ),
    "replica-set-quota": Scenario(
        "ReplicaSet, pods are missing or not ready",
        [_NO_QUOTA, {**talking.deployment("web"), "kind": "ReplicaSet"}],
        _PROGRESSING,
        "0 of 1 pod ready",
        "FailedCreate",
    ),
    "replication-controller": Scenario(
        "ReplicaSet, all pods are available",
        [
            _object(
                "ReplicationController",
                "v1",
                "web",
                spec={"replicas": 1, "template": talking.deployment("web")["spec"]["template"]},
            )
        ],
    ),
    # --- StatefulSets
    "stateful-set": Scenario("StatefulSet, all pods are of the new template and ready", [talking.stateful_set("db")]),
    "stateful-set-new-template": Scenario(
        "StatefulSet, all pods are of the new template and ready",
        [talking.stateful_set("db")],
        then=talking.stateful_set("db", "app:2.0"),
    ),
    "stateful-set-missing": Scenario(
        _STATEFUL,
        [talking.stateful_set("db")],
        _PROGRESSING,
        "0 of 2 pods of the new template ready",
        "ImagePullBackOff",
        then=talking.stateful_set("db", "app:2.0-missing"),
    ),
    "stateful-set-partition": Scenario(
        "StatefulSet, a partition keeps pods back",
        [talking.stateful_set("db")],
        message="partition 1: pods below it keep the old template",
        then=talking.stateful_set(
            "db", "app:2.0", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
        ),
    ),
    "stateful-set-on-delete": Scenario(
        "StatefulSet, OnDelete",
        [talking.stateful_set("db", updateStrategy={"type": "OnDelete"})],
        message="OnDelete: its pods keep the old template until somebody deletes them",
        then=talking.stateful_set("db", "app:2.0", updateStrategy={"type": "OnDelete"}),
    ),
    "stateful-set-max-unavailable": Scenario(
        "StatefulSet, all pods are of the new template and ready",
        [talking.stateful_set("db", replicas=3)],
        then=talking.stateful_set(
            "db",
            "app:2.0",
            replicas=3,
            updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}},
        ),
    ),
    # --- DaemonSets
    "daemon-set": Scenario("DaemonSet, a pod of the new template is on every node", [talking.daemon_set("agent")]),
    "daemon-set-new-template": Scenario(
        "DaemonSet, a pod of the new template is on every node",
        [talking.daemon_set("agent")],
        then=talking.daemon_set("agent", "app:2.0"),
    ),
    "daemon-set-crashing": Scenario(
        "DaemonSet, pods of the new template are missing or not ready",
        [talking.daemon_set("agent")],
        _PROGRESSING,
        _NONE_READY,
        "CreateContainerConfigError",
        then=talking.daemon_set("agent", "app:2.0-config"),
    ),
    "daemon-set-on-delete": Scenario(
        "DaemonSet, OnDelete",
        [talking.daemon_set("agent", updateStrategy={"type": "OnDelete"})],
        message="OnDelete: its pods keep the old template until somebody deletes them",
        then=talking.daemon_set("agent", "app:2.0", updateStrategy={"type": "OnDelete"}),
    ),
}
