"""The clusters we know: how a site is reached."""
