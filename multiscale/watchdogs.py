"""What a run looks for in the state that a step has ended with: atoms, surfaces and elements where none belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from petsc4py import PETSc
from scipy.spatial import cKDTree

from coupling.faces import Faces
from coupling.gap import Gap
from coupling.indenter import Indenter
from coupling.model import Model
from multiscale.build import Simulation
from multiscale.watch import Entry, entry, placed

Array = np.ndarray
Found = tuple[float, float, str, int | None, Array]
"""Value, limit, what to say, the atom if it is one, and where it is, (3,) Å."""


def look(sim: Simulation, q: PETSc.Vec, load: float, step: int) -> list[Entry]:
    """One entry for each kind that is found, as the case has it stop the run or only said. Collective."""
    config, out = sim.case.solver.watch, []
    for kind, check in CHECKS.items():
        action = getattr(config, kind)
        found = None if action == "off" else check(sim, q, load)
        if found is not None:
            value, limit, what, atom, position = found
            out.append(placed(entry(step, kind, action, value, limit, what), (value, atom, position)))
    return out


def lost_atoms(sim: Simulation, q: PETSc.Vec, load: float) -> Found | None:
    """The free atom that is farthest from every other one, where that is beyond the cutoff."""
    model, limit = sim.model, _cutoff(sim)
    own = model.atoms.ownership
    x, tree = _wrapped(model, model.positions(q))
    suspects = np.flatnonzero(model.atoms.free)
    if len(x) > 1:
        suspects = suspects[tree.query(x[suspects], k=2)[0][:, 1] > limit]
    everyone = own.comm.allgather((own.low + suspects, x[suspects]))
    if not sum(len(index) for index, _ in everyone):
        return None
    index, at = (np.concatenate(parts) for parts in zip(*everyone))
    nearest = np.full(len(at), np.inf)
    if len(x):
        distance = tree.query(at, k=2)[0]
        here = (index >= own.low) & (index < own.low + len(x))
        nearest = np.where(here, distance[:, 1], distance[:, 0])
    nearest = np.min(own.comm.allgather(nearest), axis=0)
    k = int(np.argmax(nearest))
    if nearest[k] <= limit:
        return None
    lost = int((nearest > limit).sum())
    what = (
        f"{lost} free atom{'s have' if lost > 1 else ' has'} no other one within the cutoff of {limit:.3g} Å"
    )
    return nearest[k], limit, what, int(index[k]), at[k]


def _cutoff(sim: Simulation) -> float:
    return float(getattr(sim.material.potential, "cutoff", 2.0 * sim.material.crystal.a))


def _wrapped(model: Model, x: Array) -> tuple[Array, cKDTree]:
    """Positions (n, 3) within the period along z, if there is one, and a tree that knows it."""
    height = float(model.atoms.cell[2, 2]) if model.atoms.pbc[2] else 0.0
    if height:
        x = x.copy()
        x[:, 2] %= height
        x[x[:, 2] >= height, 2] = 0.0  # −1e-17 % h is h
    return x, cKDTree(x, boxsize=[0.0, 0.0, height] if height else None)


def left_region(sim: Simulation, q: PETSc.Vec, load: float) -> Found | None:
    """The free atom that has gone farthest from the core, where that is beyond the blend zone: with the displacement
    that the load gives its place taken away, or as it is, whichever is nearer."""
    model = sim.model
    if model.mask is None:
        return None
    free = model.atoms.free
    y, x = model.positions(q)[free], model.atoms.reference[free]
    core = model.mask.core
    off = np.minimum(core.distance(y), core.distance(y - sim.load.field(load)(x))) if len(y) else np.zeros(0)
    found = _worst(model, off, np.flatnonzero(free), y)
    if found is None or found[0] <= model.mask.blend:
        return None
    value, atom, at = found
    return value, model.mask.blend, f"a free atom is {value:.3g} Å beyond the core and its blend", atom, at


def penetration(sim: Simulation, q: PETSc.Vec, load: float) -> Found | None:
    """The place where two surfaces are pressed into each other most, as a part of how far what acts there is known."""
    parts = [_faces(sim, t, q) for t in sim.model.terms if isinstance(t, Faces)]
    parts += [_gap(sim, t, q) for t in sim.model.terms if isinstance(t, Gap)]
    parts += [_indented(sim, t, q) for t in sim.model.terms if isinstance(t, Indenter)]
    for depth, limit, x in parts:
        found = _worst(sim.model, depth, None, x)
        if found is not None and found[0] > limit:
            what = f"surfaces are pressed {found[0]:.3g} Å into each other, {limit:.3g} Å are known"
            return found[0], limit, what, None, found[2]
    return None


def _faces(sim: Simulation, term: Faces, q: PETSc.Vec) -> tuple[Array, float, Array]:
    return np.where(term.share > 0.0, -term.opening(q)[:, 0], -np.inf), _deepest(sim), term.points


def _gap(sim: Simulation, term: Gap, q: PETSc.Vec) -> tuple[Array, float, Array]:
    opening, index = term.openings(q)
    return -opening[:, 0], _deepest(sim), term.positions(q)[index]


def _indented(sim: Simulation, term: Indenter, q: PETSc.Vec) -> tuple[Array, float, Array]:
    """A repulsive wall gives way by a quarter of a lattice constant at most."""
    gap, x = term.gaps(q)
    return term.wall.rest - gap, max(0.3 * term.wall.rest, 0.25 * sim.material.crystal.a), x


def _deepest(sim: Simulation) -> float:
    """Of the compressions that laws are derived from, Å (coupling.cohesive.table)."""
    given = sim.case.interface.grid.compression
    if given is not None:
        return float(given)
    crystal = sim.material.crystal
    period = crystal.period((0.0, 1.0, 0.0))
    planes = np.sort(crystal.planes(1) % period)
    return min(0.8, 0.25 * float(np.diff(np.append(planes, planes[0] + period)).max()))


def inversion(sim: Simulation, q: PETSc.Vec, load: float) -> Found | None:
    """The element whose volume has changed sign most: det F ≤ 0 of its corners."""
    model = sim.model
    if model.bulk is None:
        return None
    bulk: Any = model.bulk  # the coupling's protocol names no output
    points, cells = bulk.output_mesh()
    moved = points + bulk.to_local(q.array_r[model.layout.mesh].copy())
    d = bulk.dim
    edges = [(x[cells[:, 1:]] - x[cells[:, :1]])[..., :d] for x in (moved, points)]
    ratio = np.linalg.det(edges[0]) / np.linalg.det(edges[1])
    ratio = np.where(bulk.fraction > 0.0, ratio, np.inf)
    found = _worst(model, -ratio, None, points[cells].mean(axis=1))
    if found is None or found[0] < 0.0:
        return None
    return -found[0], 0.0, f"an element is turned inside out, det F = {-found[0]:.3g}", None, found[2]


def _worst(
    model: Model, values: Array, index: Array | None, x: Array
) -> tuple[float, int | None, Array] | None:
    """The largest of values (n,) over all ranks, its atom if they are of this rank's atoms index (n,), its place in
    x (n, 3); None where there are none. Collective."""
    own, mine = model.atoms.ownership, None
    if len(values):
        k = int(np.argmax(values))
        mine = float(values[k]), None if index is None else own.low + int(index[k]), x[k]
    found = [each for each in own.comm.allgather(mine) if each is not None]
    return max(found, key=lambda each: each[0]) if found else None


CHECKS: dict[str, Callable[[Simulation, PETSc.Vec, float], Found | None]] = {
    "lost_atoms": lost_atoms,
    "left_region": left_region,
    "penetration": penetration,
    "inversion": inversion,
}
"""By the key of solver.watch."""
