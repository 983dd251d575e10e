"""LAMMPS as a peer: the potentials that come with it, on given atoms, in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

PEERS = {  # name: pair_style, pair_coeff (potential files come with LAMMPS), roughly µs per atom
    "Stillinger-Weber, LAMMPS": ("sw", "Si.sw Si", 1.0),
    "Tersoff, LAMMPS": ("tersoff", "Si.tersoff Si", 1.0),
    "SNAP Si (Zuo 2020), LAMMPS": ("snap", "Si_Zuo_JPCA2020.snapcoeff Si_Zuo_JPCA2020.snapparam Si", 150.0),
    "quadratic SNAP Si (Zuo 2020), LAMMPS": (
        "snap",
        "Si_Zuo_JPCA2020.quadratic.snapcoeff Si_Zuo_JPCA2020.quadratic.snapparam Si",
        250.0,
    ),
    "POD (that of Ta), LAMMPS": ("pod", "Ta_param.pod Ta_coeff.pod Ta", 25.0),
}
SCRIPT = """
units metal
atom_modify map array
read_data atoms.data
mass 1 28.0855
neighbor 0.5 bin
neigh_modify every {every} delay 0 check no
pair_style {style}
pair_coeff * * {coefficients}
thermo {steps}
run 5
run {steps}
"""


class NotThere(RuntimeError):
    """LAMMPS, or a potential of it, cannot be used; the message says why."""


def find() -> str:
    """The LAMMPS executable: the environment's LAMMPS, or lmp on the path."""
    found = os.environ.get("LAMMPS") or shutil.which("lmp")
    if not found:
        raise NotThere("no LAMMPS (environment variable LAMMPS, or lmp on the path)")
    return found


def seconds(atoms: Atoms, style: str, coefficients: str, steps: int, every: int, threads: int = 1) -> float:
    """CPU seconds of one evaluation of energy and forces at fixed positions, the list made new every so many."""
    lammps = find()
    with tempfile.TemporaryDirectory() as folder:
        write_lammps_data(Path(folder) / "atoms.data", atoms, atom_style="atomic")
        text = SCRIPT.format(style=style, coefficients=coefficients, steps=steps, every=every)
        Path(folder, "in.speed").write_text(text)
        done = subprocess.run(
            [lammps, "-in", "in.speed", "-log", "none"],
            cwd=folder, env={**environment(lammps), "OMP_NUM_THREADS": str(threads)},
            capture_output=True, text=True, timeout=3600,
        )  # fmt: skip
    loops = re.findall(r"Loop time of ([\d.eE+-]+) on", done.stdout)
    shares = re.findall(r"([\d.]+)% CPU use", done.stdout)
    if done.returncode != 0 or len(loops) != 2:
        lines = [l for l in (done.stdout + done.stderr).splitlines() if "ERROR" in l]
        raise NotThere(lines[0] if lines else f"exit code {done.returncode}")
    return float(loops[1]) * float(shares[1]) / 100.0 / steps


def environment(lammps: str) -> dict[str, str]:
    """Without this process's MPI, and with the potentials that lie beside the executable."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "PYTHON"))}
    if "LAMMPS_POTENTIALS" not in kept:
        for root in Path(lammps).resolve().parents:
            found = next(root.glob("**/share/lammps/potentials"), None) if root != Path("/") else None
            if found is not None:
                return {**kept, "LAMMPS_POTENTIALS": str(found)}
    return kept
