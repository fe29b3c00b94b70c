"""The shapes of our own files: checks that name every fault at its place, and conversion to model records."""
