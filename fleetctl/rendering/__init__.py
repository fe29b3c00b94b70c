"""Bundles to releases: templates rendered in a sandbox, every distinct document checked once, digests."""
