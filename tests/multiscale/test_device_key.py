"""The key potential.device: a case computed on another device, one without a card, and its name."""

import numpy as np
import torch

import multiscale.device
from multiscale.build import build
from multiscale.cli import main
from multiscale.config import case_hash, parse_case
from tests.mpi import COMM
from tests.nnp.elsewhere import ELSEWHERE, elsewhere  # noqa: F401  a fixture

SIMPLE = """\
crystal: {structure: diamond, symbol: Si}
potential: {type: stillinger-weber}
geometry: {shape: disc, radius: 5 nm}
regions: {core: {shape: disc, radius: 1 nm}, blend: 1 nm}
continuum: {law: linear}
load: {type: strain, gradient: [[0, 0, 0], [0, 0.01, 0], [0, 0, 0]]}
output: {pictures: false}
"""


def test_a_model_whose_potential_is_elsewhere(monkeypatch, elsewhere) -> None:  # noqa: F811
    """Constants, law, masses of atoms and forces are those of the processor; each rank asks for its own card."""
    asked, found = [], []
    monkeypatch.setattr(multiscale.device, "chosen_device", lambda *what: asked.append(what) or ELSEWHERE)
    for device in ("cpu", "auto"):
        sim = build(
            parse_case(SIMPLE.replace("type: stillinger-weber", f"type: stillinger-weber, device: {device}")),
            COMM,
        )
        g = sim.model.vector()
        energy = sim.scheme.energy_gradient(sim.model.unknowns(sim.load.field(1.0)), g)
        found.append((sim.material.crystal.a, energy.total, g.array.copy()))
    assert asked == [("auto", COMM.rank)] and found[0][1] > 0.1
    for here, there in zip(*found):
        np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9)


def test_a_card_that_is_not_there(tmp_path, monkeypatch, capsys) -> None:
    """The run ends with one message; `check` looks at the case as it is."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (tmp_path / "case.yaml").write_text(
        SIMPLE.replace("type: stillinger-weber", "type: stillinger-weber, device: cuda")
    )
    assert main(["run", str(tmp_path / "case.yaml"), "-o", str(tmp_path / "out")]) == 2
    message = "case.yaml: potential.device: is cuda, but PyTorch finds no graphics card here"
    assert capsys.readouterr().err.startswith(message)
    assert main(["check", str(tmp_path / "case.yaml")]) == 0


def test_the_device_does_not_change_the_name_of_a_case() -> None:
    """Results of a run on the processor go on with `--restart` on a card, and those from before there was the key."""
    plain, other = (parse_case(SIMPLE, settings) for settings in ((), ("potential.device=auto",)))
    assert plain != other and case_hash(plain) == case_hash(other) == "7e24eadcdc0ff1d3"
