"""Rigid separation of silicon planes, first principles and, if given, a potential's: energy and traction.

python decohesion_table.py data/si_decohesion.xyz [--model si]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import ase.io
import numpy as np
from ase import Atoms
from ase.units import GPa, J, m
from scipy.interpolate import CubicHermiteSpline

J_PER_M2 = J / m**2


def curve(frames: Sequence[Atoms], plane: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opening (Å), energy (eV/Å²) and traction (eV/Å³) of the rigid separation of `plane`, by opening.

    The traction is dE/dδ / A with the atoms of the block held: (V σ_zz + Σ f_z z) / V, the stress of the cell
    less what it does to the atoms.
    """
    closed = f"{plane.split()[0]} closed"
    rigid = [
        a
        for a in frames
        if _is_rigid(a)
        and (a.info["description"] == closed or (a.info["plane"] == plane and a.info["opening"] > 0))
    ]
    rigid.sort(key=lambda a: a.info["opening"])
    area = np.linalg.norm(np.cross(*rigid[0].cell.array[:2]))
    opening = np.array([a.info["opening"] for a in rigid])
    energy = np.array([a.info["REF_energy"] for a in rigid])
    traction = [
        a.info["REF_stress"][2] + (a.arrays["REF_forces"][:, 2] * a.positions[:, 2]).sum() / a.get_volume()
        for a in rigid
    ]
    return opening, (energy - energy[0]) / area, np.array(traction)


def _is_rigid(atoms: Atoms) -> bool:
    changed = {"layers_moved", "rattle", "sliding"} & set(atoms.info)
    return "opening" in atoms.info and not changed


def peak(opening: np.ndarray, energy: np.ndarray, traction: np.ndarray) -> tuple[float, float]:
    """Largest traction (eV/Å³) and its opening (Å), of the cubic pieces with these energies and slopes."""
    fine = np.linspace(opening[0], opening[-1], 2001)
    slope = CubicHermiteSpline(opening, energy, traction).derivative()(fine)
    return float(slope.max()), float(fine[slope.argmax()])


def crystal_fit(frames: Sequence[Atoms]) -> tuple[float, float, float]:
    """Lattice constant (Å), bulk modulus (eV/Å³) and energy per atom (eV) of the two-atom crystals: a quartic in the
    strain of the lattice constant."""
    cubic = [a for a in frames if "lattice" in a.info]
    a = np.array([f.info["lattice"] for f in cubic])
    fit = np.polynomial.Polynomial.fit(a, [f.info["REF_energy"] / len(f) for f in cubic], 4)
    minimum = next(r.real for r in fit.deriv().roots() if abs(r.imag) < 1e-9 and a.min() < r.real < a.max())
    return float(minimum), float(8.0 * fit.deriv(2)(minimum) / (9.0 * minimum)), float(fit(minimum))


def relabelled(frames: Sequence[Atoms], model: str) -> list[Atoms]:
    """The frames with the energies, forces and stresses of a potential."""
    from nnp.calculator import NNPCalculator
    from nnp.registry import named_potential

    labelled, calculator = [], NNPCalculator(named_potential(model))
    for frame in frames:
        atoms = frame.copy()
        atoms.calc = calculator
        atoms.info.update(REF_energy=atoms.get_potential_energy(), REF_stress=atoms.get_stress())
        atoms.arrays["REF_forces"] = atoms.get_forces()
        atoms.calc = None
        labelled.append(atoms)
    return labelled


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--model", help="name or file of a potential to compare")
    options = parser.parse_args()
    frames = ase.io.read(options.data, ":")
    sets = {"first principles": frames}
    if options.model:
        sets[options.model] = relabelled(frames, options.model)
    for name, labelled in sets.items():
        a, b, e = crystal_fit(labelled)
        print(f"{name}: a0 {a:.4f} Å, B {b / GPa:.1f} GPa, {e:.5f} eV/atom")
    for plane in sorted({a.info["plane"] for a in frames if "plane" in a.info}):
        curves = [curve(labelled, plane) for labelled in sets.values()]
        print(f"\n{plane}  opening Å" + "".join(f"   energy J/m²   traction GPa [{n}]" for n in sets))
        for k, d in enumerate(curves[0][0]):
            print(f"{d:16.2f}" + "".join(f"{w[k] / J_PER_M2:14.3f}{t[k] / GPa:14.2f}" for _, w, t in curves))
        for (d, w, t), name in zip(curves, sets):
            p, at = peak(d, w, t)
            print(f"peak {p / GPa:.1f} GPa at {at:.2f} Å, work {w[-1] / J_PER_M2:.3f} J/m² [{name}]")


if __name__ == "__main__":
    main()
