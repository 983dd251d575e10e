"""Reads the files of n2p2: input.nn, scaling.data, weights.ZZZ.data (ZZZ is the atomic number).

n2p2 is the package of Singraber, Behler & Dellago, J. Chem. Theory Comput. 15, 1827 (2019),
doi:10.1021/acs.jctc.8b00770. Its files carry no units; lengths in bohr and energies in Hartree are usual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from ase import units
from ase.data import atomic_numbers

from nnp.behler.cutoffs import Cutoff
from nnp.behler.model import BehlerPotential, ElementModel
from nnp.behler.network import Layer, Network, Scaling
from nnp.behler.settings import Settings, SettingsError, read_settings
from nnp.behler.symmetry import Angular, Radial, SymmetryFunctions

LENGTHS = {"bohr": units.Bohr, "angstrom": 1.0}
ENERGIES = {"hartree": units.Hartree, "eV": 1.0}
CUTOFF_TYPES = {1: "cosine", 2: "tanh", 3: "tanh-unit", 5: "poly1", 6: "poly2", 7: "poly3", 8: "poly4"}
ACTIVATION_LETTERS = {
    "l": "linear",
    "t": "tanh",
    "s": "logistic",
    "p": "softplus",
    "g": "gaussian",
    "c": "cosine",
    "S": "reverse-logistic",
    "e": "exponential",
    "h": "harmonic",
}

Function = Radial | Angular
Order = tuple[float, ...]


def load_n2p2(folder: str | Path, length: str = "bohr", energy: str = "hartree") -> BehlerPotential:
    """The potential of a folder with input.nn, scaling.data and a weights file for each element.

    length, energy: units of the files (bohr, angstrom; hartree, eV). Energies come out as n2p2 gives them,
    reference energies of the atoms and the mean energy of a normalised data set included.
    SettingsError, naming file, line and keyword, for whatever is missing, damaged or not supported.
    """
    if length not in LENGTHS or energy not in ENERGIES:
        known = f"{', '.join(LENGTHS)} and {', '.join(ENERGIES)}"
        raise ValueError(f"units of n2p2 files are {known}, not {length} and {energy}")
    folder = Path(folder)
    settings = read_settings(folder / "input.nn")
    elements = _elements(settings)
    return BehlerPotential(
        {
            z: _element_model(folder, settings, elements, k, LENGTHS[length], ENERGIES[energy])
            for k, z in enumerate(elements)
        }
    )


def _elements(settings: Settings) -> list[int]:
    """Atomic numbers, ascending: the order of the files."""
    symbols = settings.words("elements")
    unknown = [s for s in symbols if s not in atomic_numbers]
    if unknown:
        raise settings.error("elements", f"'{unknown[0]}' is no chemical element")
    if len(symbols) != settings.integer("number_of_elements"):
        raise settings.error("elements", "their number is not that of number_of_elements")
    return sorted(atomic_numbers[s] for s in symbols)


def _element_model(
    folder: Path, settings: Settings, elements: Sequence[int], place: int, length: float, energy: float
) -> ElementModel:
    number = elements[place]
    functions = _functions(settings, elements, number, length)
    normal = _Normalisation.of(settings)
    offset = normal.mean + _atom_energies(settings).get(number, 0.0)
    network = Network(
        scaling=_scaling(folder / "scaling.data", settings, place, len(functions)),
        layers=_layers(folder / f"weights.{number:03d}.data", settings, len(functions)),
        scale=energy / normal.per_energy,
        offset=energy * offset,
    )
    return ElementModel(SymmetryFunctions(functions, _cutoff(settings)), network)


def _cutoff(settings: Settings) -> Cutoff:
    kind, *inner = settings.numbers("cutoff_type")
    if int(kind) not in CUTOFF_TYPES:
        raise settings.error("cutoff_type", f"type {kind:g} is not supported")
    try:
        return Cutoff(CUTOFF_TYPES[int(kind)], inner[0] if inner else 0.0)
    except ValueError as error:
        raise settings.error("cutoff_type", str(error)) from None


@dataclass(frozen=True)
class _Normalisation:
    """A network trained on a normalised data set gives (E − mean)·per_energy for each atom. Its unit of
    length does not matter here: the symmetry functions of input.nn are written in the files' own unit."""

    mean: float = 0.0
    per_energy: float = 1.0

    @classmethod
    def of(cls, settings: Settings) -> _Normalisation:
        names = ("mean_energy", "conv_energy", "conv_length")
        given = [n for n in names if n in settings]
        if not given:
            return cls()
        if len(given) < len(names):
            missing = next(n for n in names if n not in given)
            raise settings.error(given[0], f"needs {missing} beside it")
        return cls(settings.numbers("mean_energy")[0], settings.numbers("conv_energy")[0])


def _atom_energies(settings: Settings) -> dict[int, float]:
    if "atom_energy" not in settings:
        return {}
    rows = [(line, words) for line, words in settings.rows("atom_energy")]
    for line, words in rows:
        if len(words) != 2 or words[0] not in atomic_numbers:
            raise settings.error("atom_energy", "needs an element and an energy", line)
    return {atomic_numbers[w[0]]: settings.number("atom_energy", w[1], line) for line, w in rows}


def _functions(
    settings: Settings, elements: Sequence[int], number: int, length: float
) -> tuple[Function, ...]:
    """The functions of one element in the order of scaling.data and of the network's inputs: n2p2 sorts them
    by type, cutoff, eta, shift, zeta, lambda and neighbours."""
    found = []
    for line, words in settings.rows("symfunction_short"):
        if atomic_numbers.get(words[0]) not in elements:
            raise settings.error("symfunction_short", f"'{words[0]}' is not among the elements", line)
        if atomic_numbers[words[0]] == number:
            found.append(_function(settings, words, line, elements, length))
    if not found:
        raise settings.error("symfunction_short", "there is none for one of the elements")
    return tuple(f for _, f in sorted(found, key=lambda row: row[0]))


def _function(
    settings: Settings, words: Sequence[str], line: int, elements: Sequence[int], length: float
) -> tuple[Order, Function]:
    """One line `element type neighbours parameters`, with its place in n2p2's order."""
    key = "symfunction_short"
    kind = words[1] if len(words) > 1 else ""
    builders: dict[str, tuple[int, Callable]] = {"2": (1, _radial), "3": (2, _angular), "9": (2, _angular)}
    if kind not in builders:
        raise settings.error(key, f"type '{kind}' is not supported (2, 3 and 9 are)", line)
    count, build = builders[kind]
    z = [atomic_numbers.get(w) for w in words[2 : 2 + count]]
    if len(z) < count or any(n not in elements for n in z):
        raise settings.error(key, f"needs {count} of the elements as neighbours", line)
    values = [settings.number(key, w, line) for w in words[2 + count :]]
    try:
        return build(int(kind), sorted(z), values, length)
    except ValueError as error:
        raise settings.error(key, str(error), line) from None


def _radial(kind: int, z: list[int], values: list[float], length: float) -> tuple[Order, Function]:
    if len(values) != 3:
        raise ValueError("a radial function has three parameters: eta, shift, cutoff")
    eta, shift, cutoff = values
    order = (kind, cutoff, eta, shift, *z)
    return order, Radial(z[0], eta / length**2, shift * length, cutoff * length)


def _angular(kind: int, z: list[int], values: list[float], length: float) -> tuple[Order, Function]:
    if len(values) not in (4, 5):
        raise ValueError(
            "an angular function has four parameters or five: eta, lambda, zeta, cutoff and a shift"
        )
    eta, lam, zeta, cutoff, shift = (*values, 0.0)[:5]
    order = (kind, cutoff, eta, shift, zeta, lam, *z)
    return order, Angular(
        (z[0], z[1]), eta / length**2, shift * length, zeta, lam, cutoff * length, wide=kind == 9
    )


def _scaling(path: Path, settings: Settings, place: int, count: int) -> Scaling:
    """Scaled input of a symmetry function from the range, mean and spread that scaling.data gives for it."""
    scale, centre, sigma = (
        f"{name}_symmetry_functions{end}" in settings
        for name, end in (("scale", ""), ("center", ""), ("scale", "_sigma"))
    )
    if sigma and (scale or centre):
        raise settings.error("scale_symmetry_functions_sigma", "stands alone, without the other scalings")
    if not (scale or centre or sigma):
        return Scaling(torch.zeros(count).double(), torch.ones(count).double())
    low, high, mean, spread = _statistics(path, place, count, 6 if sigma else 5)
    if not (scale or sigma):
        return Scaling(mean, torch.ones_like(mean))
    bottom, top = (settings.numbers(f"scale_{end}_short")[0] for end in ("min", "max"))
    width = spread if sigma else high - low
    if bool((width <= 0.0).any()):
        raise SettingsError(f"{path}: symmetry function {int(width.argmin()) + 1} has no range to scale by")
    return Scaling(mean if centre or sigma else low, (top - bottom) / width, bottom)


def _statistics(path: Path, place: int, count: int, columns: int) -> list[torch.Tensor]:
    """Columns min, max, mean, sigma of one element's functions, each (count,)."""
    rows = [r for r in _number_rows(path) if len(r) >= columns and int(r[0]) == place + 1]
    if [int(r[1]) for r in rows] != list(range(1, count + 1)):
        raise SettingsError(f"{path}: has {len(rows)} rows for element {place + 1}, {count} are needed")
    table = torch.as_tensor([[*r[2:6], 0.0][:4] for r in rows], dtype=torch.float64)
    return list(table.unbind(1))


def _layers(path: Path, settings: Settings, inputs: int) -> tuple[Layer, ...]:
    """For each layer all weights, ordered by the neuron they come from, then the biases."""
    hidden = [int(n) for n in settings.numbers("global_nodes_short")]
    letters = settings.words("global_activation_short")
    if len(hidden) != settings.integer("global_hidden_layers_short"):
        raise settings.error("global_nodes_short", "needs one number for each hidden layer")
    if len(letters) != len(hidden) + 1:
        raise settings.error(
            "global_activation_short", "needs one letter for each hidden layer and the output"
        )
    for letter in letters:
        if letter not in ACTIVATION_LETTERS:
            raise settings.error("global_activation_short", f"activation '{letter}' is not supported")
    widths = [inputs, *hidden, 1]
    values = torch.as_tensor([r[0] for r in _number_rows(path, first_only=True)], dtype=torch.float64)
    needed = sum((a + 1) * b for a, b in pairwise(widths))
    if len(values) != needed:
        raise SettingsError(f"{path}: holds {len(values)} weights and biases, the network has {needed}")
    layers, start = [], 0
    for (a, b), letter in zip(pairwise(widths), letters):
        weights, bias = values[start : start + a * b].reshape(a, b), values[start + a * b :][:b]
        share = a if "normalize_nodes" in settings else 1
        layers.append(Layer(weights / share, bias / share, ACTIVATION_LETTERS[letter]))
        start += (a + 1) * b
    return tuple(layers)


def _number_rows(path: Path, first_only: bool = False) -> list[list[float]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"{path}: not readable ({error.strerror})") from None
    rows = []
    for k, line in enumerate(lines):
        words = line.split("#")[0].split()
        try:
            row = [float(w) for w in (words[:1] if first_only else words)]
        except ValueError:
            raise SettingsError(f"{path}, line {k + 1}: not a row of numbers") from None
        if not np.isfinite(row).all():
            raise SettingsError(f"{path}, line {k + 1}: a number is not finite")
        if row:
            rows.append(row)
    return rows
