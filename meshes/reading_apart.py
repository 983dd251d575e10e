"""Mesh files in formats built on HDF5 (XDMF, MED, Exodus ...), read in a process of their own.

h5py and netCDF4 bring an HDF5 that does not go together with DOLFINx's in one process. This file is also the program
of the other process: it needs meshio only, and passes on plain arrays.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import meshio
import numpy as np

SUFFIXES = (".xdmf", ".xmf", ".med", ".e", ".ex2", ".exo", ".h5m", ".cgns")
_SETS = ("cell_sets", "point_sets")
_DATA = ("cell_data", "field_data")


def read_apart(path: Path) -> meshio.Mesh:
    """As meshio.read; meshio.ReadError with one line where it fails there."""
    done = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, timeout=600)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise meshio.ReadError(lines[-1] if lines else "unknown or broken format")
    return _unpacked(done.stdout)


def packed(mesh: meshio.Mesh) -> bytes:
    """A mesh as numpy's file of arrays: "points", and the rest numbered, with what each is in "header"."""
    arrays: list[Any] = [block.data for block in mesh.cells]
    header: dict[str, Any] = {"cells": [block.type for block in mesh.cells], "tags": _tags(mesh)}
    for kind in (*_SETS, *_DATA):
        header[kind] = {}
        for name, value in getattr(mesh, kind).items():
            parts = list(value) if kind.startswith("cell") else [value]
            header[kind][name] = [None if p is None else len(arrays) + k for k, p in enumerate(parts)]
            arrays += [np.zeros(0) if p is None else np.asarray(p) for p in parts]
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(buffer, header=text, points=mesh.points, **{f"a{k}": a for k, a in enumerate(arrays)})
    return buffer.getvalue()


def _tags(mesh: meshio.Mesh) -> dict[str, list[str]]:
    """Of MED: the names of the groups that a family of cells belongs to."""
    return {str(number): list(names) for number, names in getattr(mesh, "cell_tags", {}).items()}


def _unpacked(data: bytes) -> meshio.Mesh:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        cells = [(kind, file[f"a{k}"]) for k, kind in enumerate(header["cells"])]
        more: dict[str, dict[str, Any]] = {kind: {} for kind in (*_SETS, *_DATA)}
        for kind in more:
            for name, places in header[kind].items():
                parts = [None if k is None else file[f"a{k}"] for k in places]
                more[kind][name] = parts if kind.startswith("cell") else parts[0]
        mesh = meshio.Mesh(file["points"], cells, **more)
    mesh.cell_tags = {int(number): names for number, names in header["tags"].items()}
    return mesh


def main() -> int:
    try:
        sys.stdout, kept = sys.stderr, sys.stdout  # meshio prints
        data = packed(meshio.read(sys.argv[1]))
    except ImportError as error:
        print(
            f"this format needs {error.name}, which is not installed (pip install {error.name})",
            file=sys.stderr,
        )
        return 1
    except BaseException as error:
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return 1
    kept.buffer.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
