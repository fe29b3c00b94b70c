"""Frozen typed records and pure rules that every other room shares. Imports nothing of fleetctl but itself."""
