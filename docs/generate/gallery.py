"""The gallery: every picture of the examples with what it shows and the value that it is held against.

All of it is taken from the examples' own pages: the picture with its caption, the commands of its section, and the
paragraph that begins with "Reference" after it, or the point under "Reference value" that speaks of the case.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generate.pictures import shrink
from multiscale.config import yamlio

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("fracture/README.md", "contact/README.md", "contact/tip.md")
_HEAD = """\
# Gallery

Made by `make gallery`, which runs the cases, takes their pictures, and writes this page from those of the examples:
[cracks](../examples/fracture/README.md), [indenters](../examples/contact/README.md),
[tips](../examples/contact/tip.md), [training](../examples/training/README.md).
"""
POINTS = {
    "silicon_crack": "Griffith",
    "silicon_cylinder": "This network",
    "lj_sphere": "Pull-off",
    "tip_adhesion": "Fully atomistic, adhesion",
    "tip_sliding": "Fully atomistic, sliding",
}
"""How the point under "Reference value" begins that speaks of a case."""

_PICTURE = re.compile(r"^!\[(.+?)\]\((\w+)\.png\)$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """page: relative to examples/; picture: without its suffix; reference: paragraphs of Markdown."""

    page: str
    picture: str
    caption: str
    reference: str

    @property
    def case(self) -> str:
        """The case that the picture comes from."""
        return self.picture.removesuffix("_history") + ".yaml"


def page() -> str:
    return _HEAD + "".join(_entry(e) for e in entries())


def _entry(entry: Entry) -> str:
    folder = Path(entry.page).parent
    case = yamlio.parse((ROOT / "examples" / folder / entry.case).read_text(encoding="utf-8"))
    return (
        f"\n## {case['title']}\n\n![{entry.caption}](../examples/{folder}/{entry.picture}.png)\n\n"
        f"{entry.caption}.\n\n"
        f"    multiscale run examples/{folder}/{entry.case}\n\n"
        f"{entry.reference}\n"
    )


def entries() -> Iterator[Entry]:
    """Pictures of fields; those of histories belong to one of these or stand alone."""
    for name in PAGES:
        text = (ROOT / "examples" / name).read_text(encoding="utf-8")
        pictures = [m.group(2) for m in _PICTURE.finditer(text)]
        for match in _PICTURE.finditer(text):
            caption, picture = match.groups()
            if picture.endswith("_history") and picture.removesuffix("_history") in pictures:
                continue
            yield Entry(name, picture, caption, _absolute(_reference(text, match.end(), picture), name))


def _reference(text: str, start: int, picture: str) -> str:
    """The paragraph "Reference: …" before the next picture, else the case's point under "Reference value"."""
    end = _PICTURE.search(text, start)
    own = re.search(
        r"^Reference: .+?(?=\n\n|\Z)", text[start : end.start() if end else len(text)], re.M | re.S
    )
    if own:
        return own.group()
    begins = POINTS[picture.removesuffix("_history")]
    point = re.search(rf"^- ({re.escape(begins)}.+?)(?=\n- |\n\n|\s*\Z)", text, re.M | re.S)
    assert point, f"no reference value begins with '{begins}'"
    return "Reference. " + point.group(1).replace("\n  ", "\n")


def _absolute(text: str, name: str) -> str:
    """Links of a page under examples/, from docs/."""
    here = Path("../examples") / Path(name).parent
    return re.sub(r"\]\((?!https?:)([^)#]+)", lambda m: f"]({_normal(here / m.group(1))}", text)


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def take(run: Path, folder: Path, stem: str) -> None:
    """The pictures of a run, in place of those that the example has."""
    if stem == "silicon_cohesive":
        from generate import opening

        opening.draw(run, run / "opening.png")
    drawn = "opening.png" if stem == "silicon_cohesive" else "regions.png"
    for made, kept in ((drawn, stem), ("history.png", f"{stem}_history")):
        if (folder / f"{kept}.png").exists():
            shrink(run / made, folder / f"{kept}.png")


def rebuild(work: Path) -> None:
    """Run every case of the gallery and take its pictures."""
    for entry in entries():
        folder = (ROOT / "examples" / entry.page).parent
        stem = entry.case.removesuffix(".yaml")
        out = work / stem
        run = [sys.executable, "-m", "multiscale", "run", str(folder / entry.case), "-o", str(out), "--force"]
        print(" ".join(run), flush=True)
        subprocess.run(run, cwd=ROOT, check=True)
        take(out, folder, stem)
