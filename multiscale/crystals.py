"""From a crystal of the case file to the crystal at the potential's lattice constant."""

from __future__ import annotations

from dataclasses import replace

from multiscale.capacity import check_packing
from multiscale.config import InputError
from multiscale.config.crystal import CrystalConfig
from nnp.crystal import Crystal, make_crystal
from nnp.equilibrium import lattice_constant
from nnp.external import CalculatorError
from nnp.potential import Potential, UnknownSpeciesError, check_species


def crystal_of(
    config: CrystalConfig, potential: Potential, path: str = "crystal", guess: float | None = None
) -> Crystal:
    """The crystal that a section of the case, `path`, describes; without lattice constant there, the potential's (the
    one next to `guess`, Å). InputError where there is none."""
    o = config.orientation
    orientation = None if o is None else {"x": o.x, "y": o.y, "z": o.z}
    symbols = config.symbol if isinstance(config.symbol, str) else list(config.symbol)
    try:
        unit = make_crystal(config.structure, symbols, config.a or 1.0, orientation)
        check_species(potential, unit.bulk_state().numbers)
        if config.a is not None:
            check_packing(potential, unit, path)
        a = config.a or lattice_constant(potential, config.structure, symbols, guess)
    except UnknownSpeciesError as error:
        raise InputError(f"{path}.symbol", str(error)) from error
    except CalculatorError as error:
        raise InputError(f"potential.{error.key}", str(error)) from error
    except ValueError as error:
        raise InputError(path, str(error)) from error
    return replace(unit, cell=unit.cell * a / unit.a, basis=unit.basis * a / unit.a, a=a)
