"""The preconditioner follows a surface that opens: fewer evaluations to the same equilibria."""

import pytest
from mpi4py import MPI

from coupling import preconditioner
from multiscale.build import build
from multiscale.config import parse_case
from multiscale.stepping import Stepper

BEAM = """
title: beams that part
crystal: {structure: diamond, symbol: Si, orientation: {x: [0, 0, -1], y: [1, 1, 0], z: [1, -1, 0]}}
potential: {type: nnp, model: si}
geometry: {shape: plate, size: [80 nm, 20 nm], crack: {tip: [-20 nm, 0], plane: y}}
coupling: {scheme: continuum}
continuum: {law: linear, mesh: {growth: 1.4, h: 0.5 nm, interface_h: 0.5 nm, interface_length: 20 nm}}
interface: {law: derive}
load: {type: opening, grips: ends, opening: {from: 7.5 nm, to: 9.5 nm, steps: 3}}
solver: {force_tolerance: 0.2 meV/Å}
"""


def parted() -> tuple[list[int], list[float]]:
    stepper, steps = Stepper.start(build(parse_case(BEAM), MPI.COMM_SELF)), []
    while (step := stepper.step()) is not None:
        assert step.solution.converged
        steps.append(step.solution)
    return [s.evaluations for s in steps], [s.energy.total for s in steps]


def test_beams_that_part_take_half_of_the_evaluations(monkeypatch) -> None:
    evaluations, energies = parted()
    monkeypatch.setitem(preconditioner.PATIENCE, 2, 10_000)
    before, same = parted()
    assert 2 * sum(evaluations) < sum(before) and 3 * evaluations[-1] < before[-1]
    assert energies == pytest.approx(same, rel=1e-8)
