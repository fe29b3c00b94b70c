"""A simulated fleet: small API servers over real TLS, for demos, rehearsals and scale tests. Never imports ``kube``."""
