"""Sphinx: the site of this documentation. `make docs` builds it into build/docs; warnings are errors.

The source folder is the whole repository, so that links between the pages, the examples and the tables of the
benchmarks are the same here and where the repository is browsed. What is generated is written to docs/generated first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

project = "multiscale"
author = "the authors"
copyright = "the authors, LGPL-3.0-or-later"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "examples/**",
    "benchmarks/results/*",
    "nnp/models/*",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".git", ".venv", "build", "results", "tests", "examples/training/data/*.xyz"]
exclude_patterns += ["benchmarks/results/*_quick*"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
suppress_warnings = ["myst.header"]  # tables of the benchmarks may begin below the first level
html_theme = "furo"
html_title = "multiscale"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"


def setup(app: Any) -> None:
    from generate import results, write_all

    write_all(ROOT / "docs" / "generated")
    app.connect("source-read", results.with_title)
    app.connect("build-finished", _front_page)


def _front_page(app: Any, error: Exception | None) -> None:
    """build/docs/index.html leads to the first page."""
    if error is None and app.builder.name == "html":
        page = '<!DOCTYPE html><meta http-equiv="refresh" content="0; url=docs/index.html"><title>multiscale</title>'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")
