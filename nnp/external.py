"""Any ASE calculator: energy and forces of all atoms together, no site energies."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ase.calculators.calculator import BaseCalculator

from nnp.potential import Graph
from nnp.state import Tensor


class CalculatorError(ValueError):
    """A calculator that cannot be made; key: which of `calculator` and `parameters` is at fault."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class External:
    """make: makes a calculator. cutoff: reach of what would be its site energies, Å: the force on an atom must not
    depend on atoms farther than twice that. Elements are the calculator's own business."""

    make: Callable[[], Any]
    cutoff: float
    numbers: tuple[int, ...] = tuple(range(119))

    @property
    def receptive_field(self) -> float:
        return self.cutoff

    def site_energies(self, graph: Graph) -> Tensor:
        raise ValueError("an ASE calculator has no site energies; schemes schwarz and atomistic need none")


def external(calculator: str, cutoff: float, **parameters: float | str) -> External:
    """The class that a dotted path names, in an installed module, made with the parameters. CalculatorError."""
    module, _, name = calculator.rpartition(".")
    words = calculator.split(".")
    if not module or not all(w.isidentifier() for w in words):
        raise CalculatorError("calculator", f"must name a class as ase.calculators.emt.EMT, got {calculator}")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:  # whatever the module raises, it is no calculator
        raise CalculatorError("calculator", f"cannot import {module}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, BaseCalculator)):
        raise CalculatorError("calculator", f"module {module} has no ASE calculator named {name}")
    given = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in parameters.items()}

    def make() -> Any:
        try:
            return found(**given)
        except Exception as error:  # a calculator's own kind of error
            raise CalculatorError("parameters", f"{name} does not take them: {error}") from error

    make()
    return External(make, cutoff)
