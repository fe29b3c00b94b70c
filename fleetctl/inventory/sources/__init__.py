"""Sources of sites outside of the project: CSV, programs, kubeconfigs, NetBox; materialised into lock files."""
