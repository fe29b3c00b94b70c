"""A sentence for every key of our files, as editors show it; a test holds the table complete.

Apart from the shapes, since only ``fleetctl schema`` reads it.
"""

from __future__ import annotations

from typing import Final

import pydantic

__all__ = ["KIND", "OF_KEYS", "of"]

KIND: Final = "What the document is."

OF_KEYS: Final[dict[str, dict[str, str]]] = {
    "_Document": {
        "apiVersion": "The version of the form of this file.",
        "kind": KIND,
    },
    "Access": {
        "ssh": "How the nodes are reached over SSH.",
        "kube": "How the API server is reached.",
    },
    "Asked": {
        "url": "The address; of a Prometheus, what comes before /api.",
        "headers": "Headers to send: text, or a secretRef.",
        "bearer": "Where the token is kept that is sent as a bearer's.",
        "timeout": "How long the whole answer may take.",
    },
    "Bundle": {
        "name": "The name of the bundle and of its folder: a DNS-1123 label.",
        "version": "A semantic version such as 1.4.0; BUNDLE@VERSION on a command line asserts it.",
        "description": "What the bundle is for, in a sentence.",
        "namespace": "Its home namespace: where namespaced objects go that name none.",
        "valuesKey": "The key below vars under which sites override values; the name of the bundle unless given.",
        "values": "Values that templates see; the vars of sites are laid over them.",
        "allowLiteral": "Whether Secrets with literal data may be rendered.",
        "requires": "What a site must have; a site that has not is left out and named.",
        "size": "The sum of requests at one site, for capacity checks.",
        "health": "What makes a site healthy beside the usual, and what does not.",
        "strategy": "How a rollout spreads unless --strategy says otherwise.",
        "prune": "How many objects a rollout may delete at a site: the larger of the two.",
        "helm": "A chart in the bundle that Helm renders with the site's values.",
        "kustomize": "A folder in the bundle that kustomize builds.",
    },
    "Cluster": {
        "distribution": "What runs at the site; also the built-in label that -l sees.",
        "version": "Such as v1.36.3+k3s1 or, for MicroK8s, 1.36/stable.",
        "hardening": "The hardening profile.",
        "config": "The distribution's own configuration, taken as it is.",
        "endpoint": "The address of the API server: https://HOST[:PORT][/PATH].",
    },
    "Csv": {
        "file": "The file, from this one's folder: UTF-8, its first line names the columns.",
        "delimiter": "What stands between columns.",
    },
    "Exec": {
        "command": "The program and its arguments; no shell reads them.",
        "env": "Variables that it gets beside PATH, HOME, LANG and TMPDIR; each must be set.",
        "format": "What it prints: a SiteList, a list of maps, or what ansible-inventory --list prints.",
        "timeout": "After which it is killed, with all that it started: 90s, 10m.",
    },
    "ExecProbe": {
        "workload": "Such as Deployment/gateway.",
        "container": "The container to run in; the first unless given.",
        "command": "The command and its arguments; it must end with 0.",
    },
    "Flags": {
        "output": "-o: what standard output gets.",
        "events": "--events: a file for the events of runs, relative to this file.",
        "strategy": "--strategy: a file of kind Strategy, relative to this file.",
        "concurrency": "-c: sites at a time, whatever the strategy says.",
        "timeout": "--timeout: time for one site, whatever the strategy says: 90s, 10m, 1h30m.",
    },
    "ExecGate": {
        "command": "The program and its words; it runs in the project's folder and must end with 0.",
        "timeout": "How long it may take.",
    },
    "Gate": {
        "name": "The name of the gate, unique in the strategy: a DNS-1123 label.",
        "after": "Names of the waves after which it stands; every wave but the last unless given.",
        "health": "Such a part of the wave's sites must be as the run wants them.",
        "http": "A request that must be answered as expected.",
        "promql": "A query whose every value must meet a condition.",
        "exec": "A program that must end with 0.",
        "approval": "A person's word: fleetctl rollout approve.",
        "for": "How long the answer must stay good; 0s for once.",
        "interval": "How long to wait between two answers.",
        "failures": "How many bad answers are borne.",
    },
    "Group": {
        "name": "The name of the group, unique in the fleet: a DNS-1123 label.",
        "match": "A label selector over the labels that sites declare, as kubectl takes it; empty matches all.",
        "priority": "Groups are laid over sites by rising priority: the higher number wins.",
    },
    "GroupLayer": {
        "location": "Where the site stands.",
        "access": "How the site is reached.",
        "cluster": "What runs at the site.",
        "bundles": "Bundles that are assigned, each by its name with {}; !unset takes one away.",
        "window": "When the site may be changed, in its own time zone.",
        "vars": "Values of your own. Maps merge, lists replace, key+ appends, !unset takes away.",
    },
    "HealthGate": {
        "percent": "How many of the wave's sites, in percent; all unless given.",
    },
    "HttpGate": {
        "status": "The statuses that are good; 200 to 299 unless given.",
    },
    "Health": {
        "loadBalancer": "Whether a Service of type LoadBalancer is well only with an address.",
        "probes": "Probes beside the state of objects; their form is checked, they are not executed yet.",
    },
    "HttpProbe": {
        "service": "The Service to ask, through the API server.",
        "port": "Its port.",
        "path": "The path of the URL, with a slash at its beginning.",
        "scheme": "Whether the Service speaks TLS.",
    },
    "Helm": {
        "chart": "The chart's folder in the bundle.",
        "release": "The name of the release that templates see; the bundle's name unless given.",
        "hooks": "Whether hooks are an error (refuse) or not rendered (leave-out): fleetctl runs none.",
    },
    "KubeAccess": {
        "via": "The way to the API server; proxy needs access.kube.proxy.",
        "proxy": "An http, https, socks5 or socks5h URL.",
        "kubeconfig": "PATH#CONTEXT of a kubeconfig, or PATH:PATH#CONTEXT; relative to the project.",
    },
    "Kubeconfig": {
        "file": "The kubeconfig, from this file's folder; ~ is the home folder.",
        "contexts": "Names or patterns such as store-*; all unless given. Each context is a site.",
    },
    "Kustomize": {
        "folder": "The folder in the bundle that holds all that is built.",
        "build": "The part of the folder to begin with, such as overlays/edge; all of it unless given.",
    },
    "Layer": {
        "labels": "Labels for selectors; state and distribution are built in. Groups select by them.",
        "state": "Where the site is in its life; also the built-in label that -l sees.",
    },
    "Location": {
        "lat": "Latitude in degrees.",
        "lon": "Longitude in degrees.",
        "timezone": "The IANA time zone in which windows are read.",
    },
    "Netbox": {
        "url": "Its address, without /api: https://HOST; http:// only for this machine.",
        "token": "Where the token is kept; never the token itself.",
        "ca": "PEM file with the authority of its certificate; the system's unless given.",
        "sites": "Filters of /api/dcim/sites/, as they are.",
        "nodes": "What is a node.",
        "timeout": "For one page: 90s, 10m.",
        "pageSize": "Things on a page; a NetBox may allow fewer.",
    },
    "NetboxNodes": {
        "from": "What nodes are in this NetBox.",
        "filter": "Filters of that list, as they are.",
        "role": "What these nodes do in the cluster.",
    },
    "NetboxToken": {
        "env": "The variable that holds it.",
        "file": "The file that holds it.",
    },
    "Node": {
        "name": "The name of the node, unique at the site: a DNS-1123 label.",
        "address": "IP address or host name for SSH.",
        "role": "What the node does in the cluster; cloud and edge are KubeEdge's.",
        "arch": "Its architecture, as images name it.",
        "labels": "Kubernetes labels of the node.",
        "taints": "Taints that the node carries from its registration on.",
        "vars": "Laid over the vars of the site for this node.",
    },
    "Paths": {
        "inventory": "Folder of the inventory files, relative to fleetctl.yaml.",
        "templates": "Folder of the bundles, relative to fleetctl.yaml.",
    },
    "Opening": {
        "cron": "When it opens: minute hour day month weekday.",
        "duration": "How long it stays open: 3h, 1h30m, 2d.",
    },
    "Patience": {
        "imagePull": "How long an image may fail to be pulled.",
        "configError": "How long a container may fail to be made: a missing Secret, a bad mount.",
        "unschedulable": "How long a pod may find no node with room for it.",
        "crashRestarts": "Restarts of a new pod until crashing is a failure.",
    },
    "Project": {
        "name": "The name of the fleet, which also marks what it owns in clusters: a DNS-1123 label.",
        "paths": "Where the folders of the project lie.",
        "flags": "Defaults of flags, for everybody who works on the project.",
        "projectKey": "The key that makes fingerprints of secrets, by which a rotated one counts as a change.",
    },
    "ProjectKey": {
        "id": "Which key it is, as fleetctl keys show tells; another key is refused.",
        "keptIn": "Where the key is kept: a reference to a secret.",
    },
    "Probe": {
        "name": "The name of the probe, for screens: a DNS-1123 label.",
        "http": "A request to a Service, which must be answered with 200 to 399.",
        "promql": "A query to Prometheus, which must give values and none of them 0.",
        "exec": "A command in a container of the bundle.",
    },
    "PromqlGate": {
        "query": "The query, at the moment it is asked.",
        "condition": "What every value must be, such as <= 0.01.",
    },
    "PromqlProbe": {
        "query": "The query.",
    },
    "Prune": {
        "count": "So many objects.",
        "percent": "Such a part of the objects that are there.",
    },
    "Requires": {
        "kubernetes": "A range of versions such as >=1.30 <1.37.",
        "arches": "What all nodes of the site must be among.",
        "bundles": "Bundles that the site must be assigned too.",
    },
    "Settings": {
        "flags": "Defaults of flags, for all projects of this user.",
    },
    "Site": {
        "name": "The name of the site, unique in the fleet: a DNS-1123 label.",
        "nodes": "Its hosts.",
    },
    "SiteList": {
        "defaults": "Laid under each site of this document.",
        "sites": "The sites.",
    },
    "Source": {
        "apiVersion": "The version of the form of this file.",
        "kind": KIND,
        "name": "The name of the source, unique in the inventory; inventory sync takes it.",
        "csv": "A table: each row is a site, or a node of one.",
        "exec": "A program that prints JSON.",
        "kubeconfig": "Contexts of a kubeconfig: each is a site.",
        "netbox": "Sites and devices of a NetBox.",
        "map": "Which field of a site, or of its nodes (node.*), is filled from what.",
        "defaults": "Laid under each site of the source.",
    },
    "SshAccess": {
        "user": "The user to log in as.",
        "port": "The port of sshd.",
        "jump": "The host to go through.",
        "hostKey": "SHA256:... or a public key in OpenSSH form; another key is refused.",
    },
    "Size": {
        "cpu": "A quantity such as 500m or 2.",
        "memory": "A quantity such as 1.5Gi.",
    },
    "Spread": {
        "waves": "The waves, in order; the last one takes the rest.",
        "maxFailed": "How many sites may fail: a number, or a share such as 2%.",
        "maxUnreachable": "How many sites may stay silent: a number, or a share such as 20%.",
        "maxUnauthorized": "How many sites may refuse our credentials: a number, or a share such as 5%.",
        "siteTimeout": "For everything at one site but the soak: 90s, 10m, 1h30m.",
        "soak": "How long new pods must then stay ready without restarts; 0s for none.",
        "concurrency": "Sites at a time.",
        "patience": "How long trouble of a new pod may last before it counts as a failure.",
        "gates": "What must hold before the next wave begins.",
        "windows": "When sites may be changed, in their own time zones; a site's own window holds besides.",
    },
    "Taint": {
        "key": "The key of the taint.",
        "effect": "What happens to pods that do not tolerate it.",
        "value": "The value of the taint.",
    },
    "Taken": {
        "from": "The name of a column, or a path into a record such as region.slug.",
        "type": "What is made of the text; elsewhere than below vars the field knows its type.",
        "values": "What is found is looked up here; what is not here is an error.",
        "prefix": "Put before a label value or name; with type flags before the label key.",
    },
    "WaveRule": {
        "name": "For screens; the number of the wave unless given.",
        "count": "So many sites.",
        "percent": "Such a part of all members, rounded down, at least one.",
        "canary": "One site of each kind instead of any; count or percent of them at most.",
    },
    "Window": {
        "cron": "When it opens: minute hour day month weekday.",
        "duration": "How long it stays open: 3h, 1h30m, 2d.",
    },
}
"""Class of a shape, then key; a shape that extends another has the sentences of that one."""


def of(shape: type[pydantic.BaseModel], key: str) -> str:
    """Return the sentence of a key of a shape, or of the shape that it has the key from; raises ``KeyError``."""
    for one in shape.__mro__:
        found = OF_KEYS.get(one.__name__, {}).get(key)
        if found is not None:
            return found
    raise KeyError(shape.__name__, key)
