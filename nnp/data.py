"""Frames with reference energies, forces and stresses, read from extended XYZ and checked."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from nnp.neighbors import find_pairs
from nnp.state import State

TOO_CLOSE = 0.5  # Å
PARTS = ("train", "validation")
FREE_ATOM = "free atom"


class DataError(ValueError):
    """Data that cannot be trained on; the message names the file and the frame (counted from 0)."""


@dataclass(frozen=True)
class Keys:
    """Where a frame keeps its labels: energy eV, forces eV/Å, stress eV/Å³ (Voigt xx yy zz yz xz xy, or 3×3;
    tension positive), its configuration type, and the part of the data it belongs to (train, validation)."""

    energy: str = "REF_energy"
    forces: str = "REF_forces"
    stress: str = "REF_stress"
    config_type: str = "config_type"
    split: str = "split"


@dataclass(frozen=True)
class Frame:
    """state: positions and cell, float64; energy: eV; forces: (n, 3) eV/Å; stress: (3, 3) eV/Å³ or None;
    group: its configuration type; part: train, validation or None; index: its place in the file."""

    state: State
    energy: float
    forces: np.ndarray
    stress: np.ndarray | None
    group: str
    part: str | None
    index: int

    @property
    def volume(self) -> float:
        """Å³."""
        return float(abs(np.linalg.det(self.state.cell.numpy())))


def read_frames(path: str | Path, keys: Keys | None = None) -> list[Frame]:
    """All frames of an extended XYZ file, in order.

    A stress may be missing. DataError: no such file, unreadable, a label missing or not finite, atoms closer
    than 0.5 Å, the same configuration twice, a part that is neither train nor validation.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no data file '{path}'")
    try:
        images = ase.io.read(path, index=":", format="extxyz")
    except Exception as error:  # whatever ASE's reader raises, it is the file that is wrong
        raise DataError(f"{path}: not readable as extended XYZ ({error})") from None
    if not images:
        raise DataError(f"{path}: holds no frame")
    frames = [_frame(atoms, k, keys or Keys(), f"{path}, frame {k}") for k, atoms in enumerate(images)]
    _refuse_duplicates(frames, path)
    return frames


def _labels(atoms: Atoms) -> dict[str, Any]:
    """Everything the reader attached to a frame; ASE moves labels with its own names to a calculator."""
    results = atoms.calc.results if atoms.calc is not None else {}
    return {**results, **atoms.arrays, **atoms.info}


def _frame(atoms: Atoms, index: int, keys: Keys, where: str) -> Frame:
    labels = _labels(atoms)
    energy = _finite(_label(labels, keys.energy, "energy", where), (), "energy", where)
    forces = _finite(_label(labels, keys.forces, "forces", where), (len(atoms), 3), "forces", where)
    part = labels.get(keys.split)
    if part is not None and part not in PARTS:
        raise DataError(f"{where}: {keys.split} is '{part}', must be one of {', '.join(PARTS)}")
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise DataError(f"{where}: positions or cell are not finite")
    state = State.from_ase(atoms)
    _refuse_overlap(state, where)
    return Frame(
        state=state,
        energy=float(energy),
        forces=forces,
        stress=_stress(labels.get(keys.stress), where),
        group=str(labels.get(keys.config_type, "all")),
        part=part,
        index=index,
    )


def _label(labels: dict[str, Any], key: str, what: str, where: str) -> Any:
    if key in labels:
        return labels[key]
    near = difflib.get_close_matches(key, labels, n=1, cutoff=0.4)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise DataError(
        f"{where}: no {what} under the key '{key}' (there are: {', '.join(sorted(labels))}){hint}"
    )


def _finite(value: Any, shape: tuple[int, ...], what: str, where: str) -> np.ndarray:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{where}: the {what} are no numbers") from None
    if array.shape != shape:
        raise DataError(f"{where}: the {what} have the shape {array.shape}, not {shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{where}: the {what} are not finite")
    return array


def _stress(value: Any, where: str) -> np.ndarray | None:
    if value is None:
        return None
    if np.size(value) == 6:
        xx, yy, zz, yz, xz, xy = _finite(np.ravel(value), (6,), "stress components", where)
        return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    if np.size(value) == 9:
        return _finite(np.reshape(value, (3, 3)), (3, 3), "stress components", where)
    raise DataError(f"{where}: the stress has {np.size(value)} components, must have 6 or 9")


def _refuse_overlap(state: State, where: str) -> None:
    pairs = find_pairs(state, TOO_CLOSE)
    if len(pairs):
        i, j = int(pairs.i[0]), int(pairs.j[0])
        distance = float(pairs.vectors(state)[0].norm())
        raise DataError(f"{where}: atoms {i} and {j} are {distance:.3f} Å apart, below {TOO_CLOSE} Å")


def _refuse_duplicates(frames: list[Frame], path: Path) -> None:
    seen: dict[bytes, int] = {}
    for frame in frames:
        s = frame.state
        key = b"".join(np.ascontiguousarray(t.numpy()).tobytes() for t in (s.numbers, s.cell, s.positions))
        if key in seen:
            raise DataError(f"{path}, frame {frame.index}: the same configuration as frame {seen[key]}")
        seen[key] = frame.index


def free_atom(symbol: str, energy: float) -> Frame:
    """A frame of one isolated atom, of the type FREE_ATOM; energy in eV."""
    state = State.from_ase(Atoms(symbol))
    return Frame(state, energy, np.zeros((1, 3)), None, FREE_ATOM, "train", -1)


def split(
    frames: Sequence[Frame], fraction: float, seed: int, always_train: Sequence[str] = ()
) -> tuple[list[Frame], list[Frame]]:
    """Training and validation frames, in file order.

    The user's own parts where the frames name them (then all must); else `fraction` of every configuration
    type, rounded, drawn with `seed`, but nothing of the types in `always_train`. DataError when nothing is
    left to train on.
    """
    if any(f.part for f in frames):
        unmarked = [f.index for f in frames if f.part is None]
        if unmarked:
            raise DataError(
                f"frame {unmarked[0]} does not say whether it is for train or validation; others do"
            )
        held = {f.index for f in frames if f.part == "validation"}
    else:
        rng = np.random.default_rng(seed)
        held = set()
        for group in sorted({f.group for f in frames} - set(always_train)):
            members = [f.index for f in frames if f.group == group]
            count = round(fraction * len(members))
            held |= set(rng.permutation(members)[:count].tolist())
    train = [f for f in frames if f.index not in held]
    if not train:
        raise DataError("no frames are left to train on")
    return train, [f for f in frames if f.index in held]
