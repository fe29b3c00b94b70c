"""Kubernetes definitions per minor: kinds, their scopes and schemas, and what they say against an object."""
