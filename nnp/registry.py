"""Potentials by name."""

from __future__ import annotations

import difflib
import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnp.analytic.lennard_jones import LennardJones
from nnp.analytic.morse import Morse
from nnp.analytic.stillinger_weber import StillingerWeber
from nnp.analytic.triangular import Triangular2D
from nnp.external import external
from nnp.potential import Potential


class ParameterError(ValueError):
    """A parameter of a potential that it does not take, or of a wrong kind; key: its name."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


def _neural(model: str) -> Potential:
    from nnp.families import load  # the networks are loaded only where one is used

    return load(model)


def _eam(file: str, switch_width: float = 0.1) -> Potential:
    from nnp.analytic.eam import EmbeddedAtom
    from nnp.analytic.setfl import read_setfl

    return EmbeddedAtom(read_setfl(file), switch_width)


def _n2p2(folder: str, length: str = "bohr", energy: str = "hartree") -> Potential:
    from nnp.behler.n2p2 import load_n2p2

    return load_n2p2(folder, length, energy)


def _committee(models: str | Sequence[Any]) -> Potential:
    """models: a list, or one string with commas, of what `named_potential` takes; in a list also the type and
    parameters of any potential."""
    from nnp.committee import Committee

    names = [m.strip() for m in models.split(",")] if isinstance(models, str) else models
    if not isinstance(names, Sequence):
        raise ParameterError("models", f"models must be names with commas between, got {models}")
    return Committee([_member(m) for m in names])


def _member(model: Any) -> Potential:
    return make_potential(**model) if isinstance(model, Mapping) else named_potential(str(model))


POTENTIALS: dict[str, Callable[..., Potential]] = {
    "ase": external,
    "committee": _committee,
    "eam": _eam,
    "lennard-jones": LennardJones,
    "morse": Morse,
    "n2p2": _n2p2,
    "nnp": _neural,
    "stillinger-weber": StillingerWeber,
    "triangular": Triangular2D,
}


SETFL = (".alloy", ".setfl")


def make_potential(type: str, **parameters: Any) -> Potential:
    """The potential registered under a name. ValueError, with what is allowed, for an unknown name or
    parameter or a missing one; the potential's own ValueError for a parameter out of range."""
    if type not in POTENTIALS:
        raise ValueError(f"unknown potential '{type}'{_near(type, POTENTIALS)}; one of {_listed(POTENTIALS)}")
    signature = inspect.signature(POTENTIALS[type]).parameters
    free = any(p.kind is p.VAR_KEYWORD for p in signature.values())
    for key in parameters:
        if not free and key not in signature:
            near = _near(key, signature)
            message = f"potential '{type}' has no parameter '{key}'{near}; it takes {_listed(signature)}"
            raise ParameterError(key, message)
        if key in signature:
            _check_kind(key, parameters[key], signature[key].annotation)
    needed = [k for k, p in signature.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    missing = [k for k in needed if k not in parameters]
    if missing:
        raise ParameterError(missing[0], f"potential '{type}' needs {_listed(missing)}")
    return POTENTIALS[type](**parameters)


def _check_kind(key: str, value: Any, kind: Any) -> None:
    """A parameter that is a number or a text by its annotation. ParameterError where the value is not."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("float", float) and not (number and math.isfinite(value)):
        raise ParameterError(key, f"{key} must be a finite number, got {value!r}")
    if kind in ("str", str) and not isinstance(value, str | Path):
        raise ParameterError(key, f"{key} must be text, got {value!r}")


def named_potential(text: str) -> Potential:
    """The potential of one word: a registered one that needs no parameters, a folder of n2p2, a file of
    embedded-atom tables (.alloy, .setfl), a file or the shipped name of a network; several of these with
    commas between are a committee. ValueError, with what is allowed, where the word names nothing."""
    if "," in text:
        return _committee(text)
    if text in POTENTIALS:
        return make_potential(text)
    if os.path.isfile(os.path.join(text, "input.nn")):  # of another user's folder: no
        return _n2p2(text)
    if Path(text).suffix in SETFL:
        return _eam(text)
    try:
        return _neural(text)
    except ValueError as error:
        raise ValueError(f"{error}{_near(text, POTENTIALS)}") from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _near(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean '{match[0]}'?)" if match else ""
