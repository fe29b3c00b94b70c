"""One cluster's Kubernetes API: the wire, the answers, ownership by ApplySet, and health as pure functions."""
