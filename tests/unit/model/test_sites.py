"""What a site is before anybody says anything, and what selectors see of it."""

import msgspec

from fleetctl.model import labels, sites


def test_a_site_needs_a_name_only() -> None:
    """The built-in layer fills in everything else."""
    site = msgspec.convert({"name": "store-00412"}, sites.Site)
    assert (site.state, site.cluster.distribution, site.location.timezone) == ("active", "k3s", "UTC")
    assert (site.access.ssh.port, site.access.kube.via, site.nodes, site.window) == (22, "direct", (), None)


def test_keys_are_written_in_camel_case() -> None:
    """``host_key`` is ``hostKey`` in files."""
    ssh = msgspec.convert({"hostKey": "SHA256:x"}, sites.SshAccess)
    assert ssh.host_key == "SHA256:x"
    assert msgspec.to_builtins(ssh)["hostKey"] == "SHA256:x"


def test_selectors_see_the_reserved_labels() -> None:
    """``-l state=planned`` works: the built-in labels stand beside the declared ones."""
    site = sites.Site("a", "planned", {"env": "prod"}, cluster=sites.Cluster("microk8s"))
    seen = sites.selectable_labels(site)
    assert seen == {"env": "prod", "state": "planned", "distribution": "microk8s"}
    assert set(seen) - set(site.labels) == set(labels.RESERVED)
