"""What the benchmarks wrote, as pages: their tables as they are, and tables of those that wrote only JSON."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from generate.tables import plain, table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def with_title(app: Any, name: str, source: list[str]) -> None:
    """Sphinx, as it reads a table of a benchmark: title, command and picture in front."""
    if name.startswith("benchmarks/results/"):
        stem = Path(name).name
        source[0] = head(stem, picture=f"{stem}.png") + _lower(source[0])


def head(stem: str, picture: str) -> str:
    """Title, command and picture of a benchmark."""
    said = about(stem)
    image = f"![{plain(said)}]({picture})\n\n" if (RESULTS / f"{stem}.png").exists() else ""
    return f"# {plain(said)}\n\n`python benchmarks/{stem}.py`\n\n{image}"


def about(stem: str) -> str:
    """The first sentence of what a benchmark says of itself."""
    text = ast.get_docstring(ast.parse((ROOT / "benchmarks" / f"{stem}.py").read_text(encoding="utf-8")))
    return " ".join((text or stem).split("\n\n")[0].split()).rstrip(".")


def _lower(text: str) -> str:
    """The benchmark's own title goes; its other headings stay."""
    return text.partition("\n")[2] if text.startswith("# ") else text


def pages() -> dict[str, str]:
    """A page for each benchmark that wrote JSON and no table of its own; and the list of all."""
    made = {}
    for path in sorted(RESULTS.glob("*.json")):
        if not path.with_suffix(".md").exists() and not path.stem.endswith("_quick"):
            data = json.loads(path.read_text(encoding="utf-8"))
            above = head(path.stem, f"../../benchmarks/results/{path.stem}.png")
            made[f"{path.stem}.md"] = above + "\n\n".join(_parts(data, 2))
    return made | {"benchmarks.md": _list(made)}


def _list(made: dict[str, str]) -> str:
    """The page that leads to all tables."""
    links = {Path(name).stem: name for name in made}
    links |= {
        p.stem: f"../../benchmarks/results/{p.name}"
        for p in RESULTS.glob("*.md")
        if not p.stem.endswith("_quick")
    }
    rows = [(f"[{s}]({links[s]})", plain(about(s))) for s in sorted(links)]
    tree = "\n".join(links[s] for s in sorted(links))
    return (
        "# Tables of all benchmarks\n\nAs the benchmarks wrote them.\n\n"
        + table(("table", "what"), rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    )


def _parts(data: Any, level: int, name: str = "") -> list[str]:
    """Nested results as headings and tables: a list of rows, or a mapping of rows, is a table."""
    title = [f"{'#' * min(level - 1, 5)} {plain(name)}"] if name else []
    if _is_rows(data):
        return [*title, _rows(data)]
    if isinstance(data, dict):
        if data and all(isinstance(v, dict) and not _listed(v) for v in data.values()):
            return [*title, _rows([{"": k, **v} for k, v in data.items()])]
        flat = {k: v for k, v in data.items() if not isinstance(v, dict | list)}
        parts = [*title, *([_rows([flat])] if flat else [])]
        for key, value in data.items():
            if key not in flat:
                parts += _parts(value, level + 1, str(key))
        return parts
    return [*title, plain(_shown(data))]


def _is_rows(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and all(isinstance(row, dict) for row in data)


def _listed(row: dict[str, Any]) -> bool:
    """Whether there is a list in a mapping, or another mapping two levels down: too much for a row."""
    inner = [v for v in row.values() if isinstance(v, dict)]
    found = [v for part in (row, *inner) for v in part.values()]
    return any(isinstance(v, list) for v in found) or any(
        isinstance(v, dict) for i in inner for v in i.values()
    )


def _rows(rows: list[dict[str, Any]]) -> str:
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys(key for row in flat for key in row))
    return table([plain(n) for n in names], ([plain(_shown(row.get(n))) for n in names] for row in flat))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            out |= {k if key == "layout" else f"{key} {k}": v for k, v in _flat(value).items()}
        else:
            out[key] = value
    return out


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)
