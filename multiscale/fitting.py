"""`multiscale material MODEL --fit-law FILE`: a neural law for the continuum, fitted and stored."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from ase.units import GPa

from multiscale.config import InputError
from multiscale.continuum.laws.neural_file import save_law
from multiscale.continuum.laws.neural_fit import STRAIN, fit, fit_to_crystal
from multiscale.continuum.laws.samples import Samples, cauchy_born_samples
from multiscale.continuum.laws.strain import StrainLaw, mandel_stiffness, unmandel
from multiscale.law_table import read_table
from nnp.crystal import Crystal, make_crystal
from nnp.homogeneous import elastic_tensor, lattice_constant
from nnp.potential import Potential

Array = np.ndarray
ELASTIC = ("potential", "fitted")


def fit_law(
    potential: Potential,
    structure: str,
    symbols: str | list[str],
    file: Path,
    table: Path | None = None,
    elastic: str = "potential",
) -> dict[str, Any]:
    """Fit a law, write it to `file`, and give figures of it in users' units.

    The samples are the potential's Cauchy–Born response, or the rows of `table`; of a table the elastic constants are
    the potential's, the table's own ("fitted"), or given as "C11,C12,C44" in GPa. InputError, ValueError where that
    cannot be.
    """
    began = perf_counter()
    a = lattice_constant(potential, structure, symbols)
    crystal = make_crystal(structure, symbols, a)
    if table is None:
        if elastic != "potential":
            raise InputError(
                "--elastic", "belongs to --fit-law-from: a potential has its own", "command line"
            )
        law, source = fit_to_crystal(potential, crystal), "cauchy-born"
        check = cauchy_born_samples(potential, crystal, 200, STRAIN, seed=1)  # others than it was fitted to
    else:
        check, source = read_table(table), table.name
        law = fit(check, crystal, _constants(elastic, potential, crystal))
    found = {
        "samples": source,
        "largest_strain": {
            "value": _percent(np.abs(np.linalg.eigvalsh(unmandel(check.strain))).max()),
            "unit": "%",
        },
        **_elastic_constants(law),
        **errors(law, check),
    }
    training = {"structure": structure, "symbols": symbols, "lattice_constant": a, **found}
    try:
        save_law(law, file, training)
    except OSError as error:
        raise InputError("--fit-law", f"cannot write {file}: {error.strerror}", "command line") from None
    return {"law": str(file), **found, "time": {"value": round(perf_counter() - began, 1), "unit": "s"}}


def errors(law: StrainLaw, samples: Samples) -> dict[str, Any]:
    """Root-mean-square errors of stress and energy over samples in the law's own axes, relative to theirs."""
    energy, stress = law.density.stress(samples.strain)
    found = {"stress_error": {"value": _relative(stress, samples.stress), "unit": "%"}}
    if np.isfinite(samples.energy).any():
        found["energy_error"] = {"value": _relative(energy, samples.energy), "unit": "%"}
    return found


def _relative(found: Array, true: Array) -> float:
    return _percent(np.sqrt(np.nanmean((found - true) ** 2) / np.nanmean(true**2)))


def _percent(fraction: float) -> float:
    return float(f"{100.0 * fraction:.4g}")


def _elastic_constants(law: StrainLaw) -> dict[str, Any]:
    """In the crystal's axes; C44 of a flat crystal is that in its plane."""
    second = law.density.second / GPa
    last = 3 if second[3, 3] > 0.0 else 5
    values = {"C11": second[0, 0], "C12": second[0, 1], "C44": 0.5 * second[last, last]}
    return {name: {"value": round(float(value), 4), "unit": "GPa"} for name, value in values.items()}


def _constants(elastic: str, potential: Potential, crystal: Crystal) -> Array | None:
    """Mandel matrix of the elastic constants that `elastic` names; None: to be fitted."""
    if elastic == "fitted":
        return None
    if elastic == "potential":
        return mandel_stiffness(elastic_tensor(potential, crystal))
    try:
        c11, c12, c44 = (float(part) * GPa for part in elastic.split(","))
    except ValueError:
        message = f"must be {', '.join(ELASTIC)} or three numbers C11,C12,C44 in GPa, got {elastic}"
        raise InputError("--elastic", message, "command line") from None
    if not (c11 > abs(c12) and c11 + 2.0 * c12 > 0.0 and c44 > 0.0):
        raise InputError("--elastic", f"{elastic}: no stable crystal has these constants", "command line")
    matrix = np.diag([c11 - c12] * 3 + [2.0 * c44] * 3)
    matrix[:3, :3] += c12
    return matrix
