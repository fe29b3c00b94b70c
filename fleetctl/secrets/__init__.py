"""References to secrets, resolved late: providers, masked values, and the project's key. Nothing here is printed."""
