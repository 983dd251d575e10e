"""No double counting: the energy of an interface by atoms, by a law, and by both blended, on rigid paths.

    python benchmarks/double_counting.py [--quick]

Two half crystals are pulled apart to beyond the cut-off and slid over each other along both lattice directions, also
by many periods and in compression. The energy per area with χ = 1 (atoms carry the adhesion), χ = 0 (a law does) and
graded χ must be that of the potential itself; beside them the naive sum, atoms unmasked and a law on top. With the law
exact (the potential's own, asked at every opening) and as derived (an interpolant, whose error it shows). Then a plane
through atoms, blend and mesh, where also the mask of the atoms and the law on the mesh must fit together.
Prints tables and writes benchmarks/results/double_counting.{json,md,png}. --quick: Stillinger–Weber (111) alone, fewer
points.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import whole_plane
from mpi4py import MPI

from coupling.atomistic import AtomisticEnergy, bulk_site_energies
from coupling.atoms import AtomSet, Sites
from coupling.bodies import Chi, Graded, by_surface_cell, in_plane_vectors, sides, uniform
from coupling.cohesive import Derived, Response, derive_table
from coupling.cohesive.halves import THICK, Halves, energies, halves
from coupling.exchange import Ownership
from coupling.masking import Masking, masked
from coupling.planes import AXES, PlanePoints, plane_points
from nnp.committee import driving
from nnp.crystal import Crystal, make_crystal
from nnp.homogeneous import lattice_constant
from nnp.potential import Potential
from nnp.registry import make_potential

Array = np.ndarray
Law = Callable[[Array], Response]

RESULTS = Path(__file__).parent / "results"
J_M2 = 16.02176634
"""J/m² in one eV/Å²."""
POTENTIALS = {"stillinger-weber": {"type": "stillinger-weber"}, "nnp si": {"type": "nnp", "model": "si"}}
PLANES = {
    "(111)": {"x": (1, 1, -2), "y": (1, 1, 1), "z": (1, -1, 0)},
    "(110)": {"x": (1, -1, 0), "y": (1, 1, 0), "z": (0, 0, 1)},
}
GOAL = 1e-6
"""J/m²."""
CHI: dict[str, Callable[[float], Chi]] = {
    "χ = 1": lambda length: uniform(1.0),
    "χ = 0": lambda length: uniform(0.0),
    "graded χ": lambda length: Graded(0.93, 0.08, (0.53 * length,), 0.13 * length, 0.21 * length),
}


@dataclass(frozen=True)
class Exact:
    """Γ of two rigid halves, evaluated at each opening that is asked for; without second derivatives."""

    potential: Potential
    bodies: Halves

    @classmethod
    def of(cls, potential: Potential, crystal: Crystal) -> Exact:
        return cls(potential, halves(crystal, THICK * potential.receptive_field))

    def __call__(self, opening: Array) -> Response:
        rows, place = np.unique(np.round(opening, 11), axis=0, return_inverse=True)
        energy, traction = energies(self.potential, self.bodies, np.concatenate([np.zeros((1, 3)), rows]))
        place = 1 + place.ravel()
        unknown = np.full((len(opening), 3, 3), np.nan)
        return Response(energy[place] - energy[0], traction[place], unknown)


@dataclass(frozen=True)
class Slab:
    """Two half crystals, `repeats` long along x. atomistic: unmasked; area: Å²; length: of the slab along x, Å."""

    crystal: Crystal
    atomistic: AtomisticEnergy
    area: float
    length: float

    @property
    def upper(self) -> Array:
        return self.atomistic.atoms.reference[:, 1] > 0.0

    def energy(self, chi: Chi, law: Law) -> Callable[[Array], float]:
        """δ → energy per area, J/m², with the share 1 − χ of the adhesion in the law."""
        atoms = self.atomistic.atoms
        bodies = sides(atoms.reference, 0.0)
        masking = Masking(bodies, by_surface_cell(chi, self.crystal)(atoms.reference))
        energy = masked(self.atomistic, masking)
        points = plane_points(atoms, bodies, self.crystal, masking.chi < 1.0)
        share = points.area * (1.0 - masking.chi[points.atom])

        def of(opening: Array) -> float:
            moved = self.displacements(opening)
            held = _held(points, share, law, moved)
            return (energy(atoms.reference + moved)[0] + held) / self.area * J_M2

        return of

    def displacements(self, opening: Array) -> Array:
        """(n, 3) Å of all atoms, the upper body moved by (δ_n, δ_t1, δ_t2)."""
        return self.upper[:, None] * np.asarray(opening)[AXES]

    def own(self, opening: Array) -> float:
        """The potential's own energy per area, J/m²."""
        atoms = self.atomistic.atoms
        return self.atomistic(atoms.reference + self.displacements(opening))[0] / self.area * J_M2


def _held(points: PlanePoints, share: Array, law: Law, moved: Array) -> float:
    return float(share @ law(points.openings(moved)).energy) if len(share) else 0.0


def make_slab(potential: Potential, crystal: Crystal, repeats: int) -> Slab:
    """Periodic along x and z; atoms that see an outer face have no weight, and no outer atom sees the interface."""
    px, pz = (crystal.period(e) for e in np.eye(3)[[0, 2]])
    reach, length = potential.receptive_field, repeats * px
    box = np.array([length, 2.1 * reach + crystal.a, pz])
    points, sublattice, numbers = crystal.sites(np.array([0.0, -box[1], 0.0]), box)
    order = np.lexsort((points[:, 1], np.round(points[:, 0], 6)))
    points, sublattice = points[order], sublattice[order]
    numbers = numbers[order].astype(np.int64)
    weights = (np.abs(points[:, 1]) < box[1] - reach).astype(float)
    cell, pbc = np.diag([length, 0.0, pz]), (True, False, True)
    n = len(points)
    none = Sites(points[:0], sublattice[:0], numbers[:0], weights[:0], cell, pbc)
    ownership = Ownership.of(MPI.COMM_SELF, n)
    atoms = AtomSet(points, numbers, sublattice, weights, np.ones(n, bool), cell, pbc, ownership, none)
    levels = bulk_site_energies(potential, crystal)[sublattice]
    atomistic = AtomisticEnergy(potential, atoms, weights, levels)
    shifted = np.zeros(n)
    index, at_rest = atomistic.site_energies(points)
    shifted[index] = at_rest
    return Slab(crystal, replace(atomistic, zero_level=levels + shifted), length * pz, length)


def paths(crystal: Crystal, reach: float, count: int) -> dict[str, Array]:
    """Openings (m, 3) Å by name."""
    a, b = in_plane_vectors(crystal)[:, AXES]
    t, n = np.linspace(0.0, 1.0, count)[:, None], np.array([1.0, 0.0, 0.0])
    return {
        "opening to beyond the cut-off": t * (reach + 1.0) * n,
        "sliding along the first lattice vector": t * a,
        "sliding along the second": t * b,
        "sliding along the second, 0.8 Å open": 0.8 * n + t * b,
        "sliding across, 0.2 Å compressed": -0.2 * n + t * (a + b),
        "far slide, 0.5 Å open": 0.5 * n + t * (17.37 * a - 11.71 * b),
    }


def table(
    potential: Potential, crystal: Crystal, laws: dict[str, Law], count: int, repeats: int
) -> dict[str, Any]:
    """By path: openings and energies per area, J/m², of the potential itself, of each law, and of each χ with it."""
    slab = make_slab(potential, crystal, repeats)
    ways = {
        (name, label): slab.energy(chi(slab.length), law)
        for name, law in laws.items()
        for label, chi in CHI.items()
    }
    rows: dict[str, Any] = {}
    for path, openings in paths(crystal, potential.receptive_field, count).items():
        own = np.array([slab.own(d) for d in openings])
        row: dict[str, Any] = {"opening, Å": openings.tolist(), "own": own.tolist()}
        for name, law in laws.items():
            alone = law(openings).energy * J_M2
            found = {label: np.array([ways[name, label](d) for d in openings]) for label in CHI}
            row[name] = {
                **{label: energy.tolist() for label, energy in found.items()},
                "largest difference": {label: float(np.abs(e - own).max()) for label, e in found.items()},
                "naive": (own + alone).tolist(),
                "naive over own": float((own + alone)[np.abs(own).argmax()] / own[np.abs(own).argmax()]),
            }
        rows[path] = row
    return rows


def material(
    options: dict[str, str], orientation: dict[str, tuple[int, int, int]]
) -> tuple[Potential, Crystal]:
    potential, _ = driving(make_potential(**options))  # of a committee the member that a run is driven by
    a = lattice_constant(potential, "diamond", "Si")
    return potential, make_crystal("diamond", "Si", a, orientation).cleavage_centred()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Stillinger–Weber (111) alone, fewer points")
    quick = parser.parse_args().quick
    results: dict[str, Any] = {"goal, J/m²": GOAL}
    for name, options in list(POTENTIALS.items())[: 1 if quick else None]:
        for plane, orientation in list(PLANES.items())[: 1 if quick else None]:
            potential, crystal = material(options, orientation)
            laws = {
                "exact": Exact.of(potential, crystal),
                "derived": Derived.fit(derive_table(potential, crystal)[0]),
            }
            results[f"{name} {plane}"] = table(
                potential, crystal, laws, 7 if quick else 41, 8 if quick else 24
            )
            print(lines(f"{name} {plane}", results[f"{name} {plane}"]))
    whole = {}
    for name, options in list(POTENTIALS.items())[: 1 if quick else None]:
        for plane, orientation in list(PLANES.items())[: 1 if quick else None]:
            for blend in (1.0,) if quick else (1.0, 2.0):
                title = f"{name} {plane}, blend {blend:g} nm"
                whole[title] = whole_plane.whole_plane(options, orientation, blend, Exact.of)
                print(whole_plane.lines(title, whole[title]))
    if not quick:
        write(results, whole)


def lines(title: str, rows: dict[str, Any]) -> str:
    """A table for people, J/m²."""
    head = [
        "path",
        "law",
        *(f"{label} − own" for label in CHI),
        "own, at its largest",
        "naive sum there",
        "ratio",
    ]
    out = [f"\n### {title}\n", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for path, row in rows.items():
        own = np.array(row["own"])
        top = int(np.abs(own).argmax())
        for law in [key for key in row if key not in ("opening, Å", "own")]:
            found = row[law]
            off = " | ".join(f"{found['largest difference'][label]:.1e}" for label in CHI)
            naive = found["naive"][top]
            out.append(
                f"| {path} | {law} | {off} | {own[top]:.4f} | {naive:.4f} | {found['naive over own']:.4f} |"
            )
    return "\n".join(out)


def write(results: dict[str, Any], whole: dict[str, Any]) -> None:
    everything = json.dumps({**results, "through atoms, blend and mesh": whole}, ensure_ascii=False)
    (RESULTS / "double_counting.json").write_text(everything + "\n", encoding="utf-8")
    cases = [key for key in results if key != "goal, J/m²"]
    text = "# No double counting\n\nEnergy per area on rigid paths, J/m²: largest difference from the potential's own "
    text += f"(goal {GOAL:g}), and the naive sum of unmasked atoms and law. From `benchmarks/double_counting.py`.\n"
    text += "".join(lines(key, results[key]) + "\n" for key in cases)
    text += "\n## Through atoms, blend and mesh\n\nThe same halves, with the exact law on the mesh and for masked "
    text += "atoms, per area of the whole plane, J/m². What is left is the quadrature of the mask's step, the same for "
    text += (
        "every χ, and that farther layers, which weigh less, share in the adhesion differently as it opens.\n"
    )
    text += "".join(whole_plane.lines(key, rows) + "\n" for key, rows in whole.items())
    (RESULTS / "double_counting.md").write_text(text, encoding="utf-8")
    picture({key: results[key] for key in cases})


def picture(cases: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    chosen = ("opening to beyond the cut-off", "sliding along the second, 0.8 Å open")
    figure, axes = plt.subplots(
        len(cases), 2, figsize=(9.0, 2.4 * len(cases)), squeeze=False, layout="constrained"
    )
    for (case, rows), line in zip(cases.items(), axes):
        for path, ax in zip(chosen, line):
            row = rows[path]
            d = np.array(row["opening, Å"])
            s = np.linalg.norm(d - d[0], axis=1)
            ax.plot(s, row["own"], "k-", lw=1.2, label="the potential's own")
            for label, mark in zip(CHI, ("o", "s", "x")):
                ax.plot(s, row["exact"][label], mark, ms=4, mfc="none", label=label)
            ax.plot(s, row["exact"]["naive"], "r--", lw=1.0, label="naive sum")
            ax.set_title(f"{case}: {path}", fontsize=8)
            ax.set_xlabel("Å", fontsize=8)
            ax.set_ylabel("J/m²", fontsize=8)
            ax.tick_params(labelsize=7)
    axes[0, 0].legend(fontsize=7)
    figure.savefig(RESULTS / "double_counting.png", dpi=100)


if __name__ == "__main__":
    main()
