"""Labels whose units look wrong by orders of magnitude, found without a model.

Two things hold in any set of frames around one kind of matter. (1) Where atoms are displaced by u, energies rise
by ½ k u² and forces are k u: the stiffness k = ⟨F²⟩/(2 ΔE) per atom lies between soft metals (1 eV/Å²) and
diamond (50 eV/Å²). (2) A larger volume lowers the pressure: dσ/d ln V, σ the mean normal stress, tension positive,
is a bulk modulus (soft metals 3 GPa, diamond 440 GPa). And a single frame in other units stands out among those of
its type.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from ase.units import GPa

from nnp.data import DataError, DataWarning, Frame
from nnp.train.sources import composition, reference_energies

STIFFNESS = (0.1, 100.0)  # eV/Å²: beyond caesium and diamond
BULK_MODULUS = (0.2, 2000.0)  # GPa
STRESS = 200.0  # GPa: above, an ordinary frame is not
STILL = 1e-3  # eV/Å: forces below say nothing about their unit
FEW = 6  # frames; fewer are no statistics
TIMES = 10.0  # that a frame may differ from the others of its type
ENERGY = 3.0  # eV/atom that it may differ

FORCE_UNITS = {"Ha/bohr": 51.422, "Ry/bohr": 25.711, "kcal/(mol Å)": 0.043364, "kJ/(mol Å)": 0.010364}
ENERGY_UNITS = "Ha (27.2 eV), Ry (13.6 eV), kcal/mol or kJ/mol"


def check_units(frames: Sequence[Frame], refuse: bool) -> None:
    """DataError, or a DataWarning for each finding: see the module."""
    for finding in findings(frames):
        if refuse:
            raise DataError(f"{finding} (data.suspicious: warn trains on them as they are)")
        warnings.warn(finding, DataWarning, stacklevel=2)


def findings(frames: Sequence[Frame]) -> Iterator[str]:
    """What looks wrong, each with the file and the frame."""
    for source in dict.fromkeys(f.source for f in frames):
        own = [f for f in frames if f.source == source]
        for group in sorted({f.group for f in own}):
            some = [f for f in own if f.group == group]
            yield from _lone_forces(some)
            yield from _lone_stress(some)
        above = _energies_above(own)
        yield from _lone_energies(own, above)
        yield from _stiffness(own, above)
        yield from _stress(own)


def _force(frame: Frame) -> float:
    """Root mean square force, eV/Å; NaN without."""
    return np.nan if frame.forces is None else float(np.sqrt((frame.forces**2).sum(1).mean()))


def _odd(values: np.ndarray, down: bool) -> tuple[int, float] | None:
    """Place of the value farthest from the median, and how many times it is the median (below 1: smaller), if
    that is more than TIMES and well beyond the spread of the others."""
    logs = np.log(values)
    middle, (low, high) = np.median(logs), np.quantile(logs, (0.25, 0.75))
    off = logs - middle
    worst = int(np.argmax(np.abs(off) if down else off))
    odd = abs(off[worst]) > max(np.log(TIMES), 4.0 * (high - low))
    return (worst, float(np.exp(off[worst]))) if odd else None


def _lone_forces(frames: Sequence[Frame]) -> Iterator[str]:
    moving = [f for f in frames if _force(f) > STILL]
    if len(moving) < FEW:
        return
    values = np.array([_force(f) for f in moving])
    relaxed = len(moving) < len(frames)  # then small forces are no surprise
    odd = _odd(values, down=not relaxed)
    if odd:
        place, times = odd
        unit = next((f": in {u}?" for u, x in FORCE_UNITS.items() if 0.4 < times * x < 2.5), "")
        middle = f"{np.median(values):.3g} in the type '{frames[0].group}'"
        yield f"{moving[place].where}: forces of {values[place]:.3g} eV/Å (root mean square) among {middle}{unit}"


def _lone_stress(frames: Sequence[Frame]) -> Iterator[str]:
    known = [f for f in frames if f.stress is not None and np.abs(f.stress).max() > 0.0]
    if len(known) < FEW:
        return
    values = np.array([np.abs(f.stress).max() for f in known if f.stress is not None])
    odd = _odd(values, down=False)
    if odd and values[odd[0]] > 0.2:
        place = odd[0]
        middle = f"{np.median(values):.3g} in the type '{frames[0].group}'"
        yield f"{known[place].where}: a stress of {values[place]:.3g} eV/Å³ among {middle}: in GPa or kbar?"


def _energies_above(frames: Sequence[Frame]) -> np.ndarray:
    """Energy per atom above the reference energies of the elements, eV; NaN for single atoms."""
    numbers = sorted({int(z) for f in frames for z in f.state.numbers})
    counts = composition(frames, numbers)
    found = reference_energies(frames, numbers, sources=[frames[0].source])[0]
    energies = (np.array([f.energy for f in frames]) - counts @ found) / counts.sum(1)
    return np.where(counts.sum(1) > 1, energies, np.nan)


def _lone_energies(frames: Sequence[Frame], above: np.ndarray) -> Iterator[str]:
    known = np.flatnonzero(np.isfinite(above))
    if len(known) < FEW:
        return
    middle, (low, high) = np.median(above[known]), np.quantile(above[known], (0.25, 0.75))
    worst = known[np.argmax(np.abs(above[known] - middle))]
    off = above[worst] - middle
    if abs(off) > max(ENERGY, 20.0 * (high - low)):
        text = (
            f"its energy lies {abs(off):.3g} eV/atom {'above' if off > 0 else 'below'} those of most frames"
        )
        yield f"{frames[worst].where}: {text}: in {ENERGY_UNITS}?"


def _stiffness(frames: Sequence[Frame], above: np.ndarray) -> Iterator[str]:
    forces = np.array([_force(f) for f in frames])
    known = np.isfinite(above) & (forces > STILL)
    if known.sum() < FEW:
        return
    energy, squares = above[known], 0.5 * forces[known] ** 2
    # frames of one temperature hide the ground state: the ratio to the lowest energy is k or more; what else
    # raises energies (melting, surfaces) flattens the slope: it is k or less
    ratio = float(np.quantile(squares / np.maximum(energy - np.nanmin(above), 1e-4), 0.9))
    follows = min(energy.std(), squares.std()) > 0.0 and np.corrcoef(energy, squares)[0, 1] > 0.5
    slope = float(np.polyfit(energy, squares, 1)[0]) if follows else 0.0
    if ratio < STIFFNESS[0] or slope > STIFFNESS[1]:
        first = frames[int(np.flatnonzero(known)[0])].where
        found = ratio if ratio < STIFFNESS[0] else slope
        yield (
            f"{first} and others: forces and energies do not belong together: ⟨F²⟩/2ΔE is {found:.2g} eV/Å², in "
            f"solids and liquids 1 to 50; forces in {', '.join(FORCE_UNITS)}, or energies in {ENERGY_UNITS}?"
        )


def _stress(frames: Sequence[Frame]) -> Iterator[str]:
    known = [f for f in frames if f.stress is not None]
    if not known:
        return
    units = "in GPa or kbar, or the virial in eV?"
    largest = np.array([np.abs(f.stress).max() for f in known if f.stress is not None]) / GPa
    if np.median(largest) > STRESS:
        yield (
            f"{known[int(np.argmax(largest))].where} and others: stresses of {np.median(largest):.3g} GPa (median "
            f"of the largest components), read as eV/Å³; {units}"
        )
        return
    slope = _bulk_modulus(known)
    if slope is not None and not BULK_MODULUS[0] < slope < BULK_MODULUS[1]:
        sign = "pressure positive instead of tension?" if slope < 0.0 else units
        yield f"{known[0].where} and others: the stress rises by {slope:.3g} GPa with ln(volume); {sign}"


def _bulk_modulus(frames: Sequence[Frame]) -> float | None:
    """dσ/d ln V, GPa, in the type of frames with the widest range of volumes; None where σ does not follow V."""
    best, found = 0.005, None
    kinds = {(f.group, len(f.state)) for f in frames}
    for kind in sorted(kinds):
        some = [f for f in frames if (f.group, len(f.state)) == kind]
        volume = np.log([f.volume for f in some])
        stress = np.array([np.trace(f.stress) / 3.0 for f in some if f.stress is not None]) / GPa
        if len(some) < FEW or volume.std() < best or stress.std() == 0.0:
            continue
        if abs(np.corrcoef(volume, stress)[0, 1]) > 0.8:
            best, found = float(volume.std()), float(np.polyfit(volume, stress, 1)[0])
    return found
