"""Bundles to clusters: plans, visits, undo, catch-up, and what became of them."""
