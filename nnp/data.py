"""Frames with reference energies, forces and stresses, read from extended XYZ and checked."""

from __future__ import annotations

import dataclasses
import difflib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import ase.io
import numpy as np
from ase import Atoms
from ase.geometry import complete_cell

from nnp.access import why_unreadable
from nnp.neighbors import find_pairs
from nnp.one_line import one_line
from nnp.state import State
from nnp.xyzscan import OutlineError, check_outline

TOO_CLOSE = 0.5  # Å
THINNEST = 0.1
"""Of a periodic cell, Å."""
LARGEST = 1e9
"""Of any number, Å and eV."""
PARTS = ("train", "validation")
FREE_ATOM = "free atom"


class DataError(ValueError):
    """Data that cannot be trained on; the message names the file and the frame (counted from 0)."""


class DataWarning(UserWarning):
    """Data that look wrong but can be trained on."""


@dataclass(frozen=True)
class Keys:
    """Where a frame keeps its labels, names of extended XYZ.

    energy: of the frame, eV. forces: on its atoms, eV/Å. stress: eV/Å³, Voigt xx yy zz yz xz xy, or 3×3; tension
    positive. config_type: its configuration type. split: the part of the data it belongs to, train or
    validation, where the user splits. source: of its labels, a code and its settings; the file's name without it.
    """

    energy: str = "REF_energy"
    forces: str = "REF_forces"
    stress: str = "REF_stress"
    config_type: str = "config_type"
    split: str = "split"
    source: str = "source"


@dataclass(frozen=True)
class Frame:
    """state: positions and cell, float64; energy: eV; forces: (n, 3) eV/Å or None; stress: (3, 3) eV/Å³ or
    None; group: its configuration type; part: train, validation or None; index: its place in the file;
    source: what made its labels (energies of two sources differ by a constant per atom); file: its name."""

    state: State
    energy: float
    forces: np.ndarray | None
    stress: np.ndarray | None
    group: str
    part: str | None
    index: int
    source: str = ""
    file: str = ""

    @property
    def volume(self) -> float:
        """Å³."""
        return float(abs(np.linalg.det(self.state.cell.numpy())))

    @property
    def where(self) -> str:
        """File and frame, for messages."""
        return f"{self.file}, frame {self.index}" if self.file else f"frame {self.index}"


def read_frames(
    path: str | Path, keys: Keys | None = None, source: str = "", forces_required: bool = True
) -> list[Frame]:
    """All frames of an extended XYZ file, in order.

    `source` stands for the source of frames that name none; empty: the file's name without its ending. A
    stress may be missing, forces only if they are not required. DataError: no such file, unreadable, a label
    missing, of a wrong shape or not finite, a key other than the usual one that no frame has, a period
    without a cell, a stress without a volume, atoms closer than 0.5 Å, the same configuration twice, a part
    that is neither train nor validation.
    """
    path = Path(path)
    reason = why_unreadable(path)
    if reason is not None:
        raise DataError(f"no data file '{path}'" if reason == "no such file" else f"{path}: {reason}")
    try:
        check_outline(path)
        images = cast(list[Atoms], ase.io.read(path, index=":", format="extxyz"))
    except OutlineError as error:
        raise DataError(f"{path}: {error}") from None
    except KeyError as error:
        raise DataError(f"{path}: there is no chemical element {error}") from None
    except Exception as error:  # whatever ASE's reader raises, it is the file that is wrong
        raise DataError(f"{path}: not readable as extended XYZ ({one_line(error)})") from None
    if not images:
        raise DataError(f"{path}: holds no frame")
    keys = keys or Keys()
    _refuse_absent_keys(images, keys, path)
    frames = [_frame(atoms, k, keys, path, source or path.stem) for k, atoms in enumerate(images)]
    for frame in frames if forces_required else []:
        if frame.forces is None:
            _label(_labels(images[frame.index]), keys.forces, "forces", frame.where)
    refuse_duplicates(frames)
    return frames


def _labels(atoms: Atoms) -> dict[str, Any]:
    """Everything the reader attached to a frame; ASE moves labels with its own names to a calculator."""
    results = atoms.calc.results if atoms.calc is not None else {}
    return {**results, **atoms.arrays, **atoms.info}


def _refuse_absent_keys(images: Sequence[Atoms], keys: Keys, path: Path) -> None:
    """A key that was changed from the usual one is meant: silence would drop, say, every stress."""
    there = {name for atoms in images for name in _labels(atoms)}
    for item in dataclasses.fields(Keys):
        key = getattr(keys, item.name)
        if key != item.default and key not in there:
            _label(dict.fromkeys(there), key, item.name, f"{path}, frame 0")
    near = [name for name in there if "stress" in name.lower() or "virial" in name.lower()]
    if near and keys.stress not in there:
        text = f"{path}: no frame has a stress under the key '{keys.stress}'; did you mean '{min(near)}'?"
        warnings.warn(text, DataWarning, stacklevel=2)


def _frame(atoms: Atoms, index: int, keys: Keys, path: Path, source: str) -> Frame:
    labels, where = _labels(atoms), f"{path}, frame {index}"
    energy = _finite(_label(labels, keys.energy, "energy", where), (), "energy", where)
    forces = labels.get(keys.forces)
    part = labels.get(keys.split)
    if part is not None and part not in PARTS:
        raise DataError(f"{where}: {keys.split} is '{part}', must be one of {', '.join(PARTS)}")
    _check_numbers(atoms, where)
    if (atoms.numbers == 0).any():
        raise DataError(f"{where}: atom {int(np.argmin(atoms.numbers))} is of no chemical element")
    stress = _stress(labels.get(keys.stress), where)
    _refuse_no_cell(atoms, stress is not None, where)
    state = State.from_ase(atoms)
    _refuse_overlap(state, where)
    return Frame(
        state=state,
        energy=float(energy),
        forces=None if forces is None else _finite(forces, (len(atoms), 3), "forces", where),
        stress=stress,
        group=str(labels.get(keys.config_type, "all")),
        part=part,
        index=index,
        source=str(labels.get(keys.source, source)),
        file=str(path),
    )


def check_atoms(atoms: Atoms, where: str) -> None:
    """DataError where atoms cannot be computed with: none, numbers that are not finite, a flat cell, overlaps."""
    if not len(atoms):
        raise DataError(f"{where}: holds no atoms")
    _check_numbers(atoms, where)
    _refuse_no_cell(atoms, False, where)
    _refuse_overlap(State.from_ase(atoms), where)


def _check_numbers(atoms: Atoms, where: str) -> None:
    for what, values in (("positions", atoms.positions), ("cell", atoms.cell.array)):
        _finite(values, values.shape, what, where)


def _label(labels: dict[str, Any], key: str, what: str, where: str) -> Any:
    if key in labels:
        return labels[key]
    others = {f.default for f in dataclasses.fields(Keys) if f.name != what} | {"numbers", "positions"}
    near = difflib.get_close_matches(key, [name for name in labels if name not in others], n=1, cutoff=0.4)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise DataError(
        f"{where}: no {what} under the key '{key}' (there are: {', '.join(sorted(labels))}){hint}"
    )


def _finite(value: Any, shape: tuple[int, ...], what: str, where: str) -> np.ndarray:
    one = what in ("energy", "cell")
    try:
        array = np.asarray("no number" if isinstance(value, bool | np.bool_) else value, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{where}: the {what} {'is no number' if one else 'are no numbers'}") from None
    if array.shape != shape:
        if not shape:
            raise DataError(f"{where}: the {what} must be one number, got {array.size}")
        raise DataError(f"{where}: the {what} have the shape {array.shape}, not {shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{where}: the {what} {'is' if one else 'are'} not finite")
    if np.abs(array).max(initial=0.0) > LARGEST:
        worst = np.abs(array).max()
        raise DataError(
            f"{where}: the {what} {'has' if one else 'have'} a value of {worst:.3g}, above {LARGEST:g}"
        )
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


def _refuse_no_cell(atoms: Atoms, has_stress: bool, where: str) -> None:
    periods = atoms.cell.array[atoms.pbc]
    if len(periods) and np.linalg.matrix_rank(periods) < len(periods):
        raise DataError(f"{where}: periodic in {len(periods)} directions, but the cell is missing or flat")
    whole = np.asarray(complete_cell(atoms.cell))
    heights = 1.0 / np.linalg.norm(np.linalg.inv(whole), axis=0)
    if (heights[atoms.pbc] < THINNEST).any():
        raise DataError(f"{where}: the cell is {heights[atoms.pbc].min():.2g} Å thin, below {THINNEST} Å")
    if has_stress and not atoms.cell.rank == 3:
        raise DataError(f"{where}: a stress, but no cell and so no volume")


def _refuse_overlap(state: State, where: str) -> None:
    pairs = find_pairs(state, TOO_CLOSE)
    if len(pairs):
        i, j = int(pairs.i[0]), int(pairs.j[0])
        distance = float(pairs.vectors(state)[0].norm())
        raise DataError(f"{where}: atoms {i} and {j} are {distance:.3f} Å apart, below {TOO_CLOSE} Å")


def refuse_duplicates(frames: Sequence[Frame]) -> None:
    """The same configuration may come from two sources, but not twice from one."""
    seen: dict[tuple[str, bytes], Frame] = {}
    for frame in frames:
        s = frame.state
        parts = (np.ascontiguousarray(t.numpy()).tobytes() for t in (s.numbers, s.cell, s.positions))
        first = seen.setdefault((frame.source, b"".join(parts)), frame)
        if first is not frame:
            other = f"frame {first.index}" if first.file == frame.file else first.where
            raise DataError(f"{frame.where}: the same configuration as {other}")


def free_atom(symbol: str, energy: float) -> Frame:
    """A frame of one isolated atom, of the type FREE_ATOM; energy in eV."""
    state = State.from_ase(Atoms(symbol))
    return Frame(state, energy, np.zeros((1, 3)), None, FREE_ATOM, "train", -1)


def split(
    frames: Sequence[Frame], fraction: float, seed: int, always_train: Sequence[str] = ()
) -> tuple[list[Frame], list[Frame]]:
    """Training and validation frames, in order.

    The user's own parts where the frames name them (then all must); else `fraction` of every configuration
    type of every source, rounded, drawn with `seed`, but nothing of the types in `always_train`. DataError
    when nothing is left to train on.
    """
    if any(f.part for f in frames):
        unmarked = [f.where for f in frames if f.part is None]
        if unmarked:
            raise DataError(f"{unmarked[0]} does not say whether it is for train or validation; others do")
        held = {k for k, f in enumerate(frames) if f.part == "validation"}
    else:
        rng = np.random.default_rng(seed)
        held = set()
        for kind in sorted({(f.source, f.group) for f in frames if f.group not in always_train}):
            members = [k for k, f in enumerate(frames) if (f.source, f.group) == kind]
            count = round(fraction * len(members))
            held |= set(rng.permutation(members)[:count].tolist())
    train = [f for k, f in enumerate(frames) if k not in held]
    if not train:
        raise DataError("no frames are left to train on")
    return train, [f for k, f in enumerate(frames) if k in held]
