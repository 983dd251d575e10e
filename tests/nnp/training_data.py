"""Crystals labelled by Stillinger–Weber, and settings of a small training."""

import ase.io
import numpy as np
from ase.build import bulk

from nnp.analytic.stillinger_weber import StillingerWeber
from nnp.evaluate import evaluate
from nnp.neighbors import find_pairs
from nnp.state import State
from nnp.train.config import load_training

SETTINGS = """
model: {cutoff: 4.2, radial: 6, channels: 4, degree: 2, three_body: 4, many_body: 2, hidden: [8]}
data: {validation: 0.25}
optimiser: {epochs: 6, batch: 2, warm_up: 4, average: 0.9}
checkpoint_every: 2
"""


def crystals(count=12, strain=0.02, offset=0.0, seed=0, **info):
    """Rattled and strained crystals of eight atoms, "cold" and "warm" by turns; `offset`: eV per atom more."""
    potential, rng, frames = StillingerWeber(), np.random.default_rng(seed), []
    for k in range(count):
        atoms = bulk("Si", "diamond", 5.43, cubic=True)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(0, strain, (3, 3))), scale_atoms=True)
        atoms.rattle(0.1, seed=100 * seed + k)
        state = State.from_ase(atoms)
        found = evaluate(potential, state, find_pairs(state, potential.cutoff))
        s = found.virial.numpy() / atoms.get_volume()
        energy = found.energy + offset * len(atoms)
        atoms.info.update(REF_energy=energy, config_type="warm" if k % 2 else "cold", **info)
        atoms.info["REF_stress"] = [s[0, 0], s[1, 1], s[2, 2], s[1, 2], s[0, 2], s[0, 1]]
        atoms.arrays["REF_forces"] = found.forces.numpy()
        frames.append(atoms)
    return frames


def write(path, frames):
    ase.io.write(path, frames, format="extxyz")
    return path


def settings(folder, text=SETTINGS, overrides=()):
    path = folder / "train.yaml"
    path.write_text(text)
    return load_training(path, list(overrides))
