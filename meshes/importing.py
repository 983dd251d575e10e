"""Meshes from files and into files (everything that meshio reads: gmsh .msh, .vtu, .xdmf, .inp, .med ...)."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import meshio
import numpy as np

from meshes.data import MeshData, make_mesh
from meshes.reading_apart import SUFFIXES, read_apart

Array = np.ndarray
_FACETS = {2: "line", 3: "triangle"}
_CELLS = {2: "triangle", 3: "tetra"}
_IGNORED = {"vertex"}
_TAG = "tag:"


def read_mesh(path: str | Path) -> MeshData:
    """The triangles of a plane mesh or the tetrahedra of a solid one, coordinates taken as Å.

    Tags are the named groups of facets: gmsh's physical groups (unnamed ones by number), MED's groups, sets of facets,
    sets of points (Abaqus, Exodus: facets of the boundary that have all their corners in one), and what `write_mesh`
    wrote. Points that no cell uses are dropped.

    Raises ValueError with one sentence where the file is missing, unreadable, empty, holds other cells than
    linear triangles or tetrahedra, is a curved surface, or is no conforming mesh.
    """
    raw = _read(Path(path))
    kinds = {block.type for block in raw.cells if len(block.data)} - _IGNORED
    if not kinds:
        raise ValueError(f"the mesh file '{path}' holds no cells")
    dim = 3 if "tetra" in kinds else 2
    odd = kinds - {_CELLS[dim], _FACETS[dim], "line"}
    if odd or _CELLS[dim] not in kinds:
        raise ValueError(
            f"the mesh file '{path}' holds cells of type {', '.join(sorted(odd or kinds))}; "
            "a mesh must consist of linear triangles (plane) or linear tetrahedra (solid) only"
        )
    cells = np.concatenate([b.data for b in raw.cells if b.type == _CELLS[dim]])
    try:
        return make_mesh(_coordinates(raw.points, cells, dim), cells, _tags(raw, dim))
    except ValueError as error:
        raise ValueError(f"the mesh file '{path}' cannot be used: {error}") from error


def write_mesh(path: str | Path, mesh: MeshData) -> None:
    """Writes a mesh with its tags; `read_mesh` reads it back. The format follows the suffix; `.vtu` and
    `.msh` need nothing installed, `.xdmf` needs h5py.
    """
    points = np.zeros((len(mesh.points), 3))
    points[:, : mesh.dim] = mesh.points
    blocks = [(_CELLS[mesh.dim], mesh.cells)]
    blocks += [(_FACETS[mesh.dim], np.asarray(f)) for f in mesh.tags.values()]
    path = Path(path)
    if path.suffix == ".msh":
        number = [np.full(len(data), i) for i, (_, data) in enumerate(blocks)]
        data = {"gmsh:physical": number, "gmsh:geometrical": number}
        names = {name: np.array([i + 1, mesh.dim - 1]) for i, name in enumerate(mesh.tags)}
        meshio.write(
            path, meshio.Mesh(points, blocks, cell_data=data, field_data=names), file_format="gmsh22"
        )
        return
    data = {
        _TAG + name: [np.full(len(block), int(k == i + 1)) for k, (_, block) in enumerate(blocks)]
        for i, name in enumerate(mesh.tags)
    }
    meshio.write(path, meshio.Mesh(points, blocks, cell_data=data))


def _read(path: Path) -> meshio.Mesh:
    if not path.is_file():
        raise ValueError(f"there is no mesh file '{path}'")
    try:
        # meshio prints on errors and ends the program on some.
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return read_apart(path) if path.suffix.lower() in SUFFIXES else meshio.read(path)
    except PermissionError as error:
        raise ValueError(f"the mesh file '{path}' cannot be read: {error.strerror}") from error
    except (Exception, SystemExit) as error:
        told = isinstance(error, meshio.ReadError | ImportError) and str(error)
        reason = str(error).rstrip(".") if told else "unknown or broken format"
        raise ValueError(f"the mesh file '{path}' cannot be read: {reason}") from error


def _coordinates(points: Array, cells: Array, dim: int) -> Array:
    if points.shape[1] > dim:
        height = points[np.unique(cells), dim:]
        if np.ptp(height) > 1e-9 * np.ptp(points):
            raise ValueError("its triangles do not lie in one plane z = const")
    return points[:, :dim]


def _tags(raw: meshio.Mesh, dim: int) -> dict[str, Array]:
    found: dict[str, list[Array]] = {}
    facets = [(i, b.data) for i, b in enumerate(raw.cells) if b.type == _FACETS[dim] and len(b.data)]
    for i, data in facets:
        for name, chosen in _groups(raw, i, len(data), dim):
            if chosen.any():
                found.setdefault(name, []).append(data[chosen])
    for name, facets_of in _point_sets(raw, dim):
        if name not in found:
            found[name] = [facets_of]
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _point_sets(raw: meshio.Mesh, dim: int) -> list[tuple[str, Array]]:
    """The facets of the boundary, each of one cell only, that have all their corners in a set of points."""
    if not raw.point_sets:
        return []
    cells = np.concatenate([b.data for b in raw.cells if b.type == _CELLS[dim]])
    facets = np.concatenate([np.delete(cells, k, axis=1) for k in range(dim + 1)])
    _, first, count = np.unique(np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True)
    rim = facets[np.sort(first[count == 1])]
    inside = {
        name: np.isin(rim, np.asarray(points, int)).all(axis=1) for name, points in raw.point_sets.items()
    }
    return [(name, rim[chosen]) for name, chosen in inside.items() if chosen.any()]


def _groups(raw: meshio.Mesh, block: int, n: int, dim: int) -> list[tuple[str, Array]]:
    """Names of the groups that facets of a block belong to, and which of them do, (n,)."""
    groups: list[tuple[str, Array]] = []
    for name, members in raw.cell_sets.items():
        if members[block] is not None and not name.startswith("gmsh:"):
            groups.append((name, np.isin(np.arange(n), np.asarray(members[block], int))))
    for key, values in raw.cell_data.items():
        if key.startswith(_TAG):
            groups.append((key[len(_TAG) :], np.asarray(values[block]).ravel() != 0))
    families = getattr(raw, "cell_tags", {})
    for number, names in families.items() if "cell_tags" in raw.cell_data else ():
        mine = np.asarray(raw.cell_data["cell_tags"][block]).ravel() == number
        groups += [(name, mine) for name in names]
    if "gmsh:physical" in raw.cell_data:
        number = np.asarray(raw.cell_data["gmsh:physical"][block]).ravel()
        names, known = _physical_names(raw.field_data, dim - 1), {name for name, _ in groups}
        named = [(names.get(k, str(k)), number == k) for k in np.unique(number) if k > 0]
        groups += [(name, chosen) for name, chosen in named if name not in known]
    return groups


def _physical_names(field_data: dict[str, Any], dim: int) -> dict[int, str]:
    return {int(v[0]): name for name, v in field_data.items() if len(v) > 1 and int(v[1]) == dim}
