"""Errors of a potential on labelled frames, by configuration type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ase.units import GPa

from nnp.data import Frame
from nnp.potential import Potential, check_species
from nnp.train.batch import Batch, collate, prepare
from nnp.train.loss import predict
from nnp.train.sources import Shifts, shifted

QUANTITIES = {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"}


def errors_of_frames(
    potential: Potential,
    frames: Sequence[Frame],
    dtype: torch.dtype = torch.float64,
    shifts: Shifts | None = None,
) -> dict[str, Any]:
    """See `errors`. `shifts`, eV per atom, are first taken from the energies (nnp.train.sources).
    UnknownSpeciesError when a frame holds an element that the potential does not know."""
    for frame in frames:
        check_species(potential, frame.state.numbers)
    batches = [prepare(f, potential.cutoff, dtype) for f in shifted(frames, shifts or {})]
    return errors(potential, batches, frames)


def errors(
    potential: Potential, batches: Sequence[Batch], frames: Sequence[Frame], together: int = 8
) -> dict[str, Any]:
    """{configuration type: {frames, atoms, energy, virial, forces, stress: {rmse, mae}}}, the same under
    "all", and with several sources under "source NAME".

    Energy and virial meV/atom; force components eV/Å; stress components GPa; over the frames that have one
    (None where none has). `batches` hold one frame each, and the energies to compare with.
    """
    raw: dict[str, list[dict[str, np.ndarray]]] = {}
    several = len({f.source for f in frames}) > 1
    for start in range(0, len(batches), together):
        part = slice(start, start + together)
        for frame, found in zip(frames[part], differences(potential, batches[part])):
            raw.setdefault(frame.group, []).append(found)
            if several:
                raw.setdefault(f"source {frame.source}", []).append(found)
            raw.setdefault("all", []).append(found)
    last = [name for name in raw if name == "all" or (several and name.startswith("source "))]
    order = sorted(set(raw) - set(last)) + sorted(last, reverse=True)
    return {name: summary(raw[name]) for name in order}


def differences(potential: Potential, frames: Sequence[Batch]) -> list[dict[str, np.ndarray]]:
    """Predicted minus labelled, of each of some batches of one frame: energy (1,), virial (9,), forces (3n,), stress
    (9,) in the units of `errors`, empty where unknown, and atoms (1,)."""
    batch = collate(frames)
    p = predict(potential, batch, for_training=False)
    energy = (1e3 * (p.energy - batch.energy) / batch.sizes).detach().numpy()
    force = (p.forces - batch.forces).detach().double().numpy()
    virial = (p.virial - batch.virial).detach().double().numpy()
    last, none = np.cumsum(batch.sizes.numpy()), np.empty(0)
    rows = []
    for k, n in enumerate(batch.sizes.tolist()):
        own = virial[k].ravel() if bool(batch.has_virial[k]) else none
        rows.append(
            {
                "atoms": np.array([n]),
                "energy": energy[k : k + 1],
                "virial": 1e3 * own / n,
                "forces": force[last[k] - n : last[k]].ravel() if bool(batch.has_forces[k]) else none,
                "stress": own / (float(batch.volume[k]) * GPa) if len(own) else none,
            }
        )
    return rows


def summary(frames: Sequence[dict[str, np.ndarray]]) -> dict[str, Any]:
    """One row of `errors` from the `differences` of its frames."""
    row: dict[str, Any] = {"frames": len(frames), "atoms": sum(int(f["atoms"][0]) for f in frames)}
    for name in (*QUANTITIES, "virial"):
        d = np.concatenate([f[name] for f in frames])
        known = len(d) > 0
        row[name] = {"rmse": float(np.sqrt(np.mean(d**2))), "mae": float(np.abs(d).mean())} if known else None
    return row
