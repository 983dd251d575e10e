"""Fields of a run read back from its files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from multiscale.config import InputError
from multiscale.writers.pvd import listed
from multiscale.writers.snapshot import AtomSnapshot, MeshSnapshot


def written_steps(folder: Path) -> tuple[int, ...]:
    """The steps whose fields are in the folder."""
    rows = listed(folder / "fields.pvd") or listed(folder / "atoms.pvd")
    return tuple(int(time) for time, _ in rows)


def read_mesh(folder: Path, step: int | None, kind: str = "pyvista", name: str = "fields") -> Any:
    """See multiscale.Result.mesh."""
    import pyvista

    if kind not in ("pyvista", "meshio"):
        raise InputError("", f"meshes come as pyvista or meshio, not as {kind}")
    rows = listed(folder / f"{name}.pvd")
    if not rows:
        raise InputError("", f"{folder} holds no {name}.pvd")
    files = {int(time): file for time, file in rows}
    grid = pyvista.read(folder / files[_chosen(step, tuple(files), folder)])
    return grid if kind == "pyvista" else pyvista.to_meshio(grid)


def read_atoms(folder: Path, step: int | None) -> Any:
    """See multiscale.Result.atoms."""
    if step is None:
        return next(frames(folder, "-1"))
    seen = []
    for atoms in frames(folder):
        seen.append(int(atoms.info["step"]))
        if seen[-1] == step:
            return atoms
    return _chosen(step, tuple(seen), folder)


def frames(folder: Path, index: str = ":") -> Iterator[Any]:
    """The frames of atoms.extxyz, ASE's Atoms, each with its step and displacements. InputError where there is no such
    file, or what is in it is not what a run writes."""
    import ase.io

    path = folder / "atoms.extxyz"
    if not path.is_file():
        raise InputError("", f"{folder} holds no atoms.extxyz; run with output.atoms: true")
    try:
        for atoms in ase.io.iread(path, index=index, format="extxyz", parallel=False):
            if "displacement" not in atoms.arrays or not isinstance(atoms.info.get("step"), int | np.integer):
                raise ValueError("a frame has no step, or no displacement")
            yield atoms
    except (OSError, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise InputError("", f"{path} is damaged: {error}") from error


def _chosen(step: int | None, there: tuple[int, ...], folder: Path) -> int:
    if step is None:
        return there[-1]
    if step not in there:
        steps = ", ".join(map(str, there))
        raise InputError("", f"{folder} holds no fields of step {step}; there are those of {steps}")
    return step


def mesh_state(folder: Path, step: int) -> MeshSnapshot | None:
    """The cells that carry something, as the writers were given them; None of a run without a mesh."""
    if not (folder / "fields.pvd").is_file():
        return None
    grid = read_mesh(folder, step)
    (cells,) = grid.cells_dict.values()
    keep = np.asarray(grid.cell_data["fraction"]) > 0.0
    data = {name: np.asarray(values)[keep] for name, values in grid.cell_data.items()}
    return MeshSnapshot(
        np.asarray(grid.points, float), np.asarray(cells)[keep], dict(grid.point_data.items()), data
    )


def atom_state(folder: Path, step: int) -> AtomSnapshot:
    """As the writers were given it; no atoms of a run without, or one that did not write them."""
    if not (folder / "atoms.extxyz").is_file():
        none = np.zeros((0, 3))
        data = {"displacement": none, "mask": none[:, 0], "site_energy": none[:, 0]}
        return AtomSnapshot(none, np.zeros(0, int), np.zeros((3, 3)), (False, False, False), data)
    atoms = read_atoms(folder, step)
    pbc = (bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2]))
    data = {name: values for name, values in atoms.arrays.items() if name not in ("numbers", "positions")}
    return AtomSnapshot(atoms.positions, atoms.numbers, np.asarray(atoms.cell), pbc, data)
