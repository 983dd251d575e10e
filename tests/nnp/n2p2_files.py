"""Small models in n2p2's files, written for the tests."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

HEAD = """
number_of_elements 1   # comment
elements Si
cutoff_type 6 0.1
global_hidden_layers_short 1
global_nodes_short 2
global_activation_short t l
epochs 10
"""
# Repulsion, attraction at the distance of bonds, and two angular functions; out of n2p2's order on purpose.
FUNCTIONS = """
symfunction_short Si 9 Si Si 0.03  1.0 2.0 7.5
symfunction_short Si 2 Si 0.5 4.4 8.5
symfunction_short Si 3 Si Si 0.02 -1.0 4.0 8.5
symfunction_short Si 2 Si 0.3 0.0 8.5
"""


def write_model(
    folder: Path, text: str, weights: dict[int, Sequence[float]], scaling: str | None = None
) -> Path:
    """input.nn, weights.ZZZ.data for each atomic number and, if given, scaling.data."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input.nn").write_text(text, encoding="utf-8")
    for z, values in weights.items():
        rows = [f"{v:.16E} a {k + 1}" for k, v in enumerate(values)]
        (folder / f"weights.{z:03d}.data").write_text("# weights\n" + "\n".join(rows), encoding="utf-8")
    if scaling is not None:
        (folder / "scaling.data").write_text(scaling, encoding="utf-8")
    return folder


def bound_silicon(folder: Path, depth: float = 0.1) -> Path:
    """A model with a diamond crystal; depth in Hartree sets the strength of its bonds.

    Inputs in n2p2's order: attraction's shell comes second (eta 0.3 before 0.5), then types 3 and 9.
    """
    into = np.array([[0.0, 2.0], [0.3, 0.0], [-0.15, 0.1], [-0.5, 0.02]])
    weights = [*into.ravel(), 0.1, -0.1, -depth, 0.5, 0.02]
    return write_model(folder, HEAD + FUNCTIONS, {14: weights})


SCRATCH = Path(tempfile.mkdtemp(prefix="n2p2-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
