"""Inventory files to the fleet: reading, layering, selecting, explaining. Touches no network and no state."""
