"""How Sphinx builds these pages. The build fails on any warning: `nox -s docs`."""

import fleetctl

project = "fleetctl"
author = "The fleetctl authors"
project_copyright = author
version = release = fleetctl.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]

# Deep enough that a page can link to any heading a reader sees in the side bar.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

# The error pages are also printed in a terminal, so their examples are indented and carry no language.
highlight_language = "text"

# Furo brings its own fonts and scripts: the built pages work on a machine with no internet.
html_theme = "furo"
html_title = f"fleetctl {release}"
