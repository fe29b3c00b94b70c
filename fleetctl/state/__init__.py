"""The store: the journal of runs, leases and debts, and the blobs that it refers to. SQLite, one writer per process."""
