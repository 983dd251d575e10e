"""First-principles frames of silicon that opens: separated, slid, stretched, with Quantum ESPRESSO through ASE.

    python make_decohesion.py -o data/si_decohesion.xyz [--only PATTERN] [--seconds S] [--list]

Needs `pw.x` and the pseudopotential Si.pbe-nl-rrkjus_psl.1.0.0.UPF (Debian: quantum-espresso,
quantum-espresso-data). Frames that the file already holds are skipped, so a run that was stopped goes on; a
frame that did not converge is reported and not written. data/README.md says what was computed and what came out.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.calculators.calculator import CalculationFailed
from ase.calculators.espresso import Espresso, EspressoProfile

A0 = 5.4695  # Å, of these settings
SPACING = 0.037  # 1/Å between k-points (reciprocal vectors without 2π)
PSEUDO = "Si.pbe-nl-rrkjus_psl.1.0.0.UPF"
ELECTRONS = {
    "system": {
        "ecutwfc": 30.0,  # Ry, 408 eV
        "ecutrho": 240.0,
        "occupations": "smearing",
        "smearing": "mv",  # cold: the free energy, whose derivatives the forces are, is that of zero width
        "degauss": 0.005,  # Ry
    },
    "electrons": {"conv_thr": 1e-8, "electron_maxstep": 80},
    "control": {"disk_io": "nowf", "tprnfor": True, "tstress": True},
}


@dataclass(frozen=True)
class Frame:
    """A configuration to compute. `description` is unique; `closed` is the cell that sets the k-points, the same
    along a separation curve; `info` is written with the frame."""

    description: str
    config_type: str
    atoms: Atoms
    closed: Atoms
    info: dict[str, Any] = field(default_factory=dict)
    spacing: float = SPACING


def crystal(plane: str, layers: int, glide: bool = False) -> Atoms:
    """Block of diamond, one surface cell wide, `layers` repeats of the shortest out-of-plane vector high: 2 atoms
    each for 111, 4 for 110 and 100. The cut is the plane z = 0, through the middle of a bond at the origin (a
    centre of inversion): in the wide gap, or the narrow one (glide, 111)."""
    n = layers
    upward = {
        "111": [[1, -1, 0], [0, 1, -1], [n // 3, n // 3, n // 3 + n % 3]],
        "110": [[1, -1, 0], [1, 1, -1], [0, 0, n]],
        "100": [[1, 0, 0], [0, 1, -1], [-n, n, n]],
    }
    atoms = make_supercell(bulk("Si", "diamond", a=A0), upward[plane])
    atoms.set_cell(atoms.cell.standard_form()[0], scale_atoms=True)
    _cut_at_bond(atoms, glide)
    return atoms


def _cut_at_bond(atoms: Atoms, glide: bool) -> None:
    """Moves the middle of a bond that crosses the wanted gap to the origin, and all atoms above it."""
    z = atoms.get_scaled_positions()[:, 2]
    levels = np.unique(np.round(z, 6))
    gaps = np.diff(np.append(levels, levels[0] + 1.0))
    k = np.argmin(gaps) if glide else np.argmax(np.round(gaps, 6))
    below = int(np.argmin(np.abs(z - levels[k])))
    others = np.arange(len(atoms))
    vectors = atoms.get_distances(below, others, mic=True, vector=True)
    bonded = (np.linalg.norm(vectors, axis=1) < 2.5) & (vectors[:, 2] > 0.1)
    atoms.positions -= atoms.positions[below] + 0.5 * vectors[bonded][0]
    scaled = atoms.get_scaled_positions(wrap=False)
    atoms.set_scaled_positions(scaled - np.floor(scaled + 1e-9))


def opened(atoms: Atoms, opening: float, slide: tuple[float, float] = (0.0, 0.0)) -> Atoms:
    """The block and its copy above moved apart by `opening` and, in the plane, by `slide` (Å)."""
    apart = atoms.copy()
    cell = apart.cell.array.copy()
    cell[2] += [*slide, opening]
    apart.set_cell(cell)
    apart.positions += 0.5 * np.array([*slide, opening])  # the origin stays a centre of inversion
    return apart


def grid(atoms: Atoms, spacing: float = SPACING) -> tuple[int, int, int]:
    """Gamma-centred k-points: odd numbers (cheapest with symmetry) nearest to `spacing` (1/Å), at least three."""
    wanted = np.linalg.norm(atoms.cell.reciprocal().array, axis=1) / spacing
    n1, n2, n3 = (max(3, 2 * int(np.floor(n / 2.0)) + 1) for n in wanted)
    return n1, n2, n3


def rattled(atoms: Atoms, size: float, seed: int) -> Atoms:
    moved = atoms.copy()
    moved.positions += np.random.default_rng(seed).normal(scale=size, size=(len(atoms), 3))
    return moved


def breathing(atoms: Atoms, size: float, seed: int) -> Atoms:
    """Each atomic layer moved by a random amount along z, odd about the middle: keeps the block's symmetry."""
    moved = atoms.copy()
    z = moved.positions[:, 2]
    middle = 0.5 * (z.min() + z.max())
    height = np.round(z - middle, 4)
    levels = np.unique(np.abs(height))
    shift = np.random.default_rng(seed).normal(scale=size, size=len(levels))
    moved.positions[:, 2] += np.sign(height) * shift[np.searchsorted(levels, np.abs(height))]
    return moved


SLABS = {"111": 3, "110": 2, "100": 2}
"""Plane: repeats across; 6 to 8 atoms, 8 to 11 Å."""


def separations(*openings: float) -> Iterator[Frame]:
    """Rigid separation of the three planes by `openings` (Å)."""
    for plane, layers in SLABS.items():
        closed = crystal(plane, layers)
        for d in openings:
            kind, name = ("Decohesion", f"opened {d:g}") if d else ("Bulk", "closed")
            yield Frame(
                f"({plane}) {name}", kind, opened(closed, d), closed, {"plane": f"({plane})", "opening": d}
            )


def volumes() -> Iterator[Frame]:
    """The crystal of two atoms at several volumes."""
    closed = bulk("Si", "diamond", a=A0)
    for strain in (0.0, -0.01, 0.01, -0.02, 0.02, -0.04, 0.04, 0.06):
        a = A0 * (1.0 + strain)
        yield Frame(f"crystal, strain {strain:g}", "Bulk", bulk("Si", "diamond", a=a), closed, {"lattice": a})


def stretched() -> Iterator[Frame]:
    """Crystals stretched along the normal of a plane: what a tip sees before it breaks. Layers in proportion, and
    moved."""
    for strain, moved in ((0.1, 0.0), (0.2, 0.0), (0.15, 0.1), (0.05, 0.0)):
        for plane in SLABS:
            closed = crystal(plane, 1)
            atoms = closed.copy()
            atoms.set_cell(closed.cell.array @ np.diag([1.0, 1.0, 1.0 + strain]), scale_atoms=True)
            text = f"({plane}) stretched {strain:g}" + (f", layers moved {moved:g}" if moved else "")
            yield Frame(text, "Stretched", breathing(atoms, moved, seed=5), closed, {"plane": f"({plane})"})


def moved_layers() -> Iterator[Frame]:
    """Opened blocks whose atomic layers moved along the normal: relaxing, or pulled, surfaces."""
    for seed, (d, size) in enumerate(((0.7, 0.1), (1.5, 0.1), (0.3, 0.06), (3.0, 0.08), (1.1, 0.12))):
        for plane, layers in SLABS.items():
            closed = crystal(plane, layers)
            atoms = breathing(opened(closed, d), size, seed)
            info = {"plane": f"({plane})", "opening": d, "layers_moved": size}
            yield Frame(f"({plane}) opened {d:g}, layers moved {size:g}", "Decohesion", atoms, closed, info)


def slid() -> Iterator[Frame]:
    """Blocks that slide while they open."""
    for d, s in ((0.6, 0.6), (1.2, 1.2), (0.3, 0.4)):
        for plane in ("110", "100", "111"):
            closed = crystal(plane, SLABS[plane])
            info = {"plane": f"({plane})", "opening": d, "sliding": s}
            atoms = opened(closed, d, (0.0, s))
            yield Frame(f"({plane}) opened {d:g}, slid {s:g}", "Decohesion", atoms, closed, info)


def glide() -> Iterator[Frame]:
    """The narrow gap of (111) opened, which breaks three bonds per surface cell."""
    closed = crystal("111", SLABS["111"], glide=True)
    for d in (1.0, 0.5, 2.5, 1.6):
        info = {"plane": "(111) glide", "opening": d}
        yield Frame(f"(111) glide opened {d:g}", "Decohesion", opened(closed, d), closed, info)


def shaken() -> Iterator[Frame]:
    """Opened blocks with every atom displaced at random: no symmetry is left, so the k-points are fewer."""
    openings = ((0.8, 0.08), (1.5, 0.12), (0.4, 0.06), (2.5, 0.12), (1.1, 0.15), (0.0, 0.15))
    for seed, (d, size) in enumerate(openings):
        for plane, layers in SLABS.items():
            closed = crystal(plane, layers)
            atoms = rattled(opened(closed, d), size, 10 + seed)
            info = {"plane": f"({plane})", "opening": d, "rattle": size}
            text = f"({plane}) opened {d:g}, rattled {size:g}"
            yield Frame(text, "Decohesion", atoms, closed, info, spacing=1.5 * SPACING)


def vacancies() -> Iterator[Frame]:
    """15 atoms about a vacancy: as cut, its neighbours moved inwards, and inwards in pairs (Å)."""
    closed = bulk("Si", "diamond", a=A0) * (2, 2, 2)
    for inwards, pairing in ((0.0, 0.0), (0.2, 0.0), (0.2, 0.25), (-0.15, 0.0), (0.0, 0.4)):
        atoms = closed.copy()
        vectors = atoms.get_distances(0, range(len(atoms)), mic=True, vector=True)
        near = (np.linalg.norm(vectors, axis=1) > 0.1) & (np.linalg.norm(vectors, axis=1) < 2.5)
        towards = -vectors[near] / np.linalg.norm(vectors[near], axis=1)[:, None]
        atoms.positions[near] += inwards * towards + pairing * towards * [1.0, 1.0, 0.0] / np.sqrt(2.0 / 3.0)
        del atoms[0]
        yield Frame(f"vacancy, inwards {inwards:g}, paired {pairing:g}", "VacancyDense", atoms, closed)


def frames() -> Iterator[Frame]:
    """All frames, most valuable first."""
    yield from separations(0.0)
    yield from separations(0.8, 2.0, 0.4)
    yield from volumes()
    yield from separations(1.3, 3.0, 4.0)
    yield from stretched()
    last = (separations(0.6, 1.0), moved_layers(), shaken(), vacancies(), slid(), glide())
    for few in zip_longest(*last):  # in turn, so that a run that is stopped has some of each
        yield from (frame for frame in few if frame)
    yield from separations(1.6, 0.2, 2.5)


def compute(frame: Frame, command: str, pseudo_dir: str) -> Atoms:
    """The frame with its labels. CalculationFailed when the electrons did not converge."""
    atoms = frame.atoms.copy()
    atoms.info = {
        "config_type": frame.config_type,
        "source": "QE",
        "description": frame.description,
        **frame.info,
    }
    kpoints = grid(frame.closed, frame.spacing)
    with tempfile.TemporaryDirectory() as folder:
        atoms.calc = Espresso(
            profile=EspressoProfile(command=command, pseudo_dir=pseudo_dir),
            pseudopotentials={"Si": PSEUDO},
            input_data=ELECTRONS,
            kpts=kpoints,
            directory=folder,
        )
        started = time.perf_counter()
        energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
        log = Path(folder, "espresso.pwo").read_text()
    if "convergence has been achieved" not in log:
        raise CalculationFailed("the electrons did not converge")
    atoms.calc = None
    atoms.info.update(
        REF_energy=energy,
        REF_stress=stress,
        kpoints="x".join(map(str, kpoints)),
        seconds=round(time.perf_counter() - started, 1),
    )
    atoms.arrays["REF_forces"] = forces
    return atoms


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="XYZ", help="file to append to")
    parser.add_argument("--command", default="pw.x", help="how pw.x is started (default: %(default)s)")
    parser.add_argument("--pseudo-dir", default="/usr/share/espresso/pseudo", metavar="DIR")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="descriptions to compute, as *opened*")
    parser.add_argument(
        "--seconds", type=float, default=np.inf, metavar="S", help="start no frame after S seconds"
    )
    parser.add_argument(
        "--list", action="store_true", help="print the frames that are missing, compute nothing"
    )
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    done = ase.io.read(options.output, ":") if options.output.exists() else []
    held = {atoms.info["description"] for atoms in done}
    started = time.monotonic()
    for frame in frames():
        if frame.description in held or not fnmatch.fnmatchcase(frame.description, options.only):
            continue
        if options.list:
            print(
                f"{frame.description:40s}{len(frame.atoms):4d} atoms, k-points {grid(frame.closed, frame.spacing)}"
            )
            continue
        if time.monotonic() - started > options.seconds:
            return
        try:
            atoms = compute(frame, options.command, options.pseudo_dir)
        except CalculationFailed as error:
            print(f"{frame.description}: {error}; not written", flush=True)
            continue
        ase.io.write(options.output, atoms, format="extxyz", append=True)
        print(f"{frame.description:40s}{atoms.info['seconds']:8.1f} s", flush=True)


if __name__ == "__main__":
    main()
