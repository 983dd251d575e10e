"""Pages that are made from the program itself and from what was measured, so that they cannot be out of date.

python docs/generate            # writes docs/generated, as the build of the site does first
python docs/generate gallery [--run]    # writes docs/gallery.md, which is kept beside the sources; runs its cases
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_all"]


def write_all(folder: Path) -> None:
    """Write every generated page and picture."""
    from generate import case, claims, commands, convergence, results, training

    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "case.md": case.page(),
        "training.md": training.page(),
        "commands.md": commands.page(),
        "claims.md": claims.page(),
    }
    for name, text in (pages | results.pages()).items():
        _write_if_changed(folder / name, text)
    convergence.draw(folder)


def _write_if_changed(path: Path, text: str) -> None:
    """Sphinx rebuilds what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
