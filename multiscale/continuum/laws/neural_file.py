"""Neural laws in files: safetensors with a JSON header (see nnp.storage)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from multiscale.continuum.laws.invariants import INVARIANTS, invariants_of
from multiscale.continuum.laws.network import Network
from multiscale.continuum.laws.neural import NeuralDensity
from multiscale.continuum.laws.neural_fit import fit_to_crystal
from multiscale.continuum.laws.strain import Known, StrainLaw
from nnp.crystal import Crystal
from nnp.potential import Potential
from nnp.storage import ModelFileError, read_model, write_model

KIND = "continuum-law"


def save_law(law: StrainLaw, path: Path, training: dict[str, Any]) -> None:
    """Write a neural law, in the crystal's axes; `training` (data and errors, plain values) goes into the header."""
    density = law.density
    assert isinstance(density, NeuralDensity)
    arrays = {"second": density.second, "norms": density.norms, "metric": law.known.metric}
    arrays |= {f"network.{name}": value for name, value in asdict(density.network).items()}
    header = {
        "kind": KIND,
        "symmetry": density.basis.name,
        "strain": density.strain,
        "scale": density.scale,
        "error": law.error,
        "units": {"length": "angstrom", "energy": "eV"},
        "training": training,
    }
    tensors = {name: torch.as_tensor(np.ascontiguousarray(value)) for name, value in arrays.items()}
    write_model(path, header, tensors)


def load_law(path: Path, crystal: Crystal) -> StrainLaw:
    """The neural law of a file, turned as the crystal is. ModelFileError when unreadable or made for a crystal of
    another symmetry."""
    if not path.is_file():
        raise ModelFileError(f"no such file: {path}")
    header, tensors = read_model(path)
    if header.get("kind") != KIND:
        raise ModelFileError(f"{path}: holds a model of kind '{header.get('kind')}', not a {KIND}")
    try:
        basis = INVARIANTS[header["symmetry"]]
        arrays = {name: value.double().numpy() for name, value in tensors.items()}
        network = Network(*(arrays[f"network.{name}"] for name in ("A", "b", "V", "d", "c")))
        strain, scale = float(header["strain"]), float(header["scale"])
        density = NeuralDensity(arrays["second"], basis, network, arrays["norms"], strain, scale)
        law = StrainLaw(density, Known(arrays["metric"]), crystal.frame, float(header["error"]))
        density.stiffness(np.zeros((1, 6)))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: header and weights do not describe one law ({error})") from None
    if basis is not invariants_of(crystal):
        raise ModelFileError(
            f"{path}: a law with {basis.name} symmetry, the crystal's is {invariants_of(crystal).name}"
        )
    return law


def neural(potential: Potential, crystal: Crystal, model: str | None = None) -> StrainLaw:
    """The law of a file; without one, fitted to the crystal's Cauchy–Born response now."""
    return fit_to_crystal(potential, crystal) if model is None else load_law(Path(model), crystal)
