"""Published Behler–Parrinello models, read from n2p2's files, against the data they were trained on.

    python benchmarks/n2p2_models.py DATA [--quick]

DATA holds n2p2/{Si,Mo} (input.nn, scaling.data, weights) and mlearn/{Si,Mo}.xyz (training frames, extended XYZ), both
of Zuo et al., J. Phys. Chem. A 124, 731 (2020), doi:10.1021/acs.jpca.9b08723. Prints tables and writes
benchmarks/results/n2p2_models.json: errors by configuration type beside the published ones (which are on the
authors' own test files), the ranges of the symmetry functions beside those in n2p2's files, lattice and elastic
constants, and the time for energy and forces of a crystal. --quick: silicon alone, every twentieth frame (so the
ranges say nothing), to n2p2_models_quick.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ase.units import GPa

from nnp.behler.model import BehlerPotential
from nnp.behler.n2p2 import load_n2p2
from nnp.crystal import Crystal, make_crystal
from nnp.data import Frame, read_frames
from nnp.equilibrium import lattice_constant
from nnp.evaluate import evaluate
from nnp.homogeneous import elastic_tensor
from nnp.neighbors import find_pairs
from nnp.potential import Graph, Potential
from nnp.state import State
from nnp.train.errors import errors_of_frames

RESULTS = Path(__file__).parent / "results" / "n2p2_models.json"
PUBLISHED = {"Si": ("diamond", 6.93, 0.170), "Mo": ("bcc", 5.43, 0.204)}  # meV/atom, eV/Å


def descriptor_difference(potential: BehlerPotential, frames: Sequence[Frame]) -> float:
    """How far the ranges of the symmetry functions over all training frames are from those that n2p2 found
    and wrote to scaling.data: largest difference from 0 and 1 after scaling. No fit enters: this checks the
    symmetry functions alone."""
    (number,) = potential.numbers
    low, high = [], []
    for frame in frames:
        pairs, z = find_pairs(frame.state, potential.cutoff), frame.state.numbers
        graph = Graph(pairs.i, pairs.j, pairs.vectors(frame.state), z, z[pairs.j])
        x = potential.elements[number].network.scaling(potential.symmetry_functions(graph, number))
        low.append(x.amin(0))
        high.append(x.amax(0))
    ends = torch.stack([torch.stack(low).amin(0), torch.stack(high).amax(0) - 1.0])
    return float(ends.abs().max())


def crystal_constants(potential: Potential, crystal: Crystal) -> dict[str, float]:
    """Lattice constant, Å, and elastic constants, GPa."""
    C = elastic_tensor(potential, crystal) / GPa
    return {"a": crystal.a, "C11": C[0, 0, 0, 0], "C12": C[0, 0, 1, 1], "C44": C[1, 2, 1, 2]}


def speed(potential: Potential, crystal: Crystal, dtype: torch.dtype, runs: int = 5) -> float:
    """CPU time for energy and forces on one core without the neighbour list, µs per atom: the best of some
    runs on a thousand atoms of a rattled crystal."""
    cells = round((1000 / len(crystal.basis)) ** (1 / 3))
    atoms = crystal.bulk_state((cells,) * 3).to_ase()
    atoms.rattle(0.05, seed=0)
    state = State.from_ase(atoms, dtype)
    pairs = find_pairs(state, potential.cutoff)
    taken = []
    for _ in range(runs):
        start = time.process_time()
        evaluate(potential, state, pairs)
        taken.append(time.process_time() - start)
    return 1e6 * min(taken) / len(atoms)


def measure(data: Path, symbol: str, every: int = 1) -> dict[str, Any]:
    structure, energy, force = PUBLISHED[symbol]
    potential = load_n2p2(data / "n2p2" / symbol)
    frames = read_frames(data / "mlearn" / f"{symbol}.xyz")[::every]
    crystal = make_crystal(structure, symbol, lattice_constant(potential, structure, symbol))
    return {
        "published": {"energy_meV_per_atom": energy, "forces_eV_per_A": force},
        "descriptor_difference": descriptor_difference(potential, frames),
        "errors": errors_of_frames(potential, frames),
        "crystal_A_GPa": crystal_constants(potential, crystal),
        "us_per_atom": {
            "float64": speed(potential, crystal, torch.float64),
            "float32": speed(potential, crystal, torch.float32),
        },
    }


def show(symbol: str, found: dict[str, Any]) -> None:
    print(f"\n{symbol}: root mean square (mean absolute) errors on the training frames")
    print(f"{'':14}{'frames':>7}{'energy, meV/atom':>20}{'forces, eV/Å':>20}{'stress, GPa':>20}")
    for group, row in found["errors"].items():
        columns = [row[q] for q in ("energy", "forces", "stress")]
        cells = [f"{c['rmse']:.3f} ({c['mae']:.3f})" if c else "-" for c in columns]
        print(f"{group:14}{row['frames']:7d}" + "".join(f"{c:>20}" for c in cells))
    p, c, t = found["published"], found["crystal_A_GPa"], found["us_per_atom"]
    print(f"{'published':21}{p['energy_meV_per_atom']:>20.2f}{p['forces_eV_per_A']:>20.3f}   (test files)")
    print(f"a {c['a']:.4f} Å; C11, C12, C44 {c['C11']:.1f}, {c['C12']:.1f}, {c['C44']:.1f} GPa")
    print(f"ranges of the symmetry functions: within {found['descriptor_difference']:.1e} of those of n2p2")
    print(f"energy and forces: {t['float64']:.0f} µs per atom in float64, {t['float32']:.0f} in float32")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with n2p2/ and mlearn/")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for symbol in ["Si"] if options.quick else PUBLISHED:
        found[symbol] = measure(options.data, symbol, 20 if options.quick else 1)
        show(symbol, found[symbol])
    RESULTS.parent.mkdir(exist_ok=True)
    path = RESULTS.with_name("n2p2_models_quick.json") if options.quick else RESULTS
    path.write_text(json.dumps(found, indent=1, default=float) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
