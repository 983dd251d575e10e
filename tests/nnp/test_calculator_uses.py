"""The calculator where ASE's users put it: optimisers, elastic bands, phonons; against another code's calculator."""

import numpy as np
from ase.build import bulk
from ase.mep import NEB
from ase.optimize import BFGS, FIRE
from ase.phonons import Phonons
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import StillingerWeber as form
from matscipy.calculators.manybody.explicit_forms import stillinger_weber as published

from nnp.calculator import NNPCalculator
from nnp.crystal import make_crystal
from nnp.phonons import force_constants
from nnp.registry import make_potential

SW = make_potential("stillinger-weber")


def other():
    return Manybody(**form(published.Stillinger_Weber_PRB_31_5262_Si))


def hop():
    """A vacancy's first and last place: a neighbour has moved into it."""
    crystal = bulk("Si", cubic=True, a=5.431) * (2, 2, 2)
    way = min((crystal.get_distance(0, k, mic=True, vector=True) for k in range(1, 64)), key=np.linalg.norm)
    mover = int(np.argsort(crystal.get_distances(0, range(64), mic=True))[1])
    ends = [crystal.copy(), crystal.copy()]
    ends[1].positions[mover] -= way
    for end in ends:
        del end[0]
        end.rattle(0.02, seed=1)
        end.calc = NNPCalculator(SW)
        assert BFGS(end, logfile=None).run(fmax=0.01, steps=200)
    return ends


def test_an_elastic_band_over_a_saddle():
    first, last = hop()
    images = [first, *(first.copy() for _ in range(3)), last]
    for image in images[1:-1]:
        image.calc = NNPCalculator(SW)
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate(mic=True)
    assert FIRE(band, logfile=None).run(fmax=0.05, steps=400)
    energies = [image.get_potential_energy() for image in images]
    saddle = images[int(np.argmax(energies))]
    assert max(energies) > energies[0] + 0.1
    for image, energy in zip(images, energies):
        image.calc = other()
        assert abs(image.get_potential_energy() - energy) < 1e-8
    assert np.abs(saddle.get_forces()).max() < 0.06  # at rest in the other code as well: a saddle


def test_phonons_by_displacements(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    crystal = make_crystal("diamond", "Si", 5.431)
    atoms = bulk("Si", a=crystal.a)
    phonons = Phonons(atoms, NNPCalculator(SW), supercell=(4, 4, 4), delta=1e-3)
    phonons.run()
    phonons.read(acoustic=True)
    paths = np.array([[0.0, 0.0, 0.0], [0.25, 0.0, 0.25], [0.5, 0.0, 0.5]])  # Γ, Δ, X of the primitive cell
    found = phonons.band_structure(paths) / 0.0041356677  # eV in a THz
    k = 2.0 * np.pi * paths @ np.linalg.inv(np.asarray(atoms.cell)).T
    expected = force_constants(SW, crystal).frequencies(k)
    assert np.abs(np.sort(found, axis=1) - expected).max() < 0.02
