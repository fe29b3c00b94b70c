"""Low-rate HTTP to services of the operator: NetBox, Vault, artifact mirrors. The only user of httpx."""
