"""The command line: one module per command group. Parses, calls the core, hands results on; no logic."""
