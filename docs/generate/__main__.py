"""Writes the generated pages; see generate/__init__.py."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

if __name__ == "__main__":
    from generate import gallery, write_all

    if sys.argv[1:2] == ["gallery"]:
        if "--run" in sys.argv:
            gallery.rebuild(DOCS.parent / "results")
        (DOCS / "gallery.md").write_text(gallery.page(), encoding="utf-8")
    else:
        write_all(DOCS / "generated")
