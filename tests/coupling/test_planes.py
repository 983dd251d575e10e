"""What a law holds for masked atoms: openings from plane to plane, and nothing counted twice."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from crystals import MATERIALS
from patch import make_patch
from test_masking import GRADED, masking_of

from coupling.assemble import atomistic_model
from coupling.bodies import by_surface_cell
from coupling.cohesive.uber import Uber
from coupling.masking import masked
from coupling.planes import AXES, plane_law, plane_points
from coupling.regions import Ball
from coupling.schemes import SCHEMES

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import double_counting

from tests.mpi import COMM, gathered, largest


@pytest.mark.parametrize("material", ["triangular", "lennard-jones", "stillinger-weber"])
def test_opening_is_exact_for_rigid_and_affine_motion_of_each_half(material) -> None:
    """Δ = u⁺ − u⁻ + G (X⁺ − X⁻) at the same place of the plane, and the areas of both sides add up to it once."""
    potential, crystal = MATERIALS[material]()
    model = atomistic_model(potential, crystal, Ball((0.0, 0.0), 14.0), 2, COMM, None)
    x, bodies = model.atoms.reference, masking_of(model, GRADED).bodies
    points = plane_points(model.atoms, bodies, crystal, np.abs(x[:, 0]) < 10.0)
    x, upper = gathered(x), gathered(bodies.label) == 1  # the openings are the same on every rank
    rng = np.random.default_rng(0)
    G, apart = rng.normal(size=(3, 3)), rng.normal(size=3)
    if model.atoms.pbc[2]:
        G[:, 2] = 0.0  # nothing linear in z repeats along z
    wanted = apart + G[:, 1] * (x[upper, 1].min() - x[~upper, 1].max())
    found = points.openings(x @ G.T + upper[:, None] * apart)
    np.testing.assert_allclose(found, np.tile(wanted[AXES], (len(points.atom), 1)), atol=1e-12)
    depth = model.atoms.cell[2, 2] or 1.0
    assert points.area.sum() == pytest.approx(20.0 * depth, abs=2.0 * crystal.a * depth)


@pytest.mark.parametrize("material", ["stillinger-weber", "nnp"])
def test_nothing_is_counted_twice(material) -> None:
    """χ = 1, χ = 0 and graded χ with the exact law have the potential's own energy on every rigid path; a law on top
    of unmasked atoms has twice the adhesion."""
    potential, crystal = MATERIALS[material]()
    laws = {"exact": double_counting.Exact.of(potential, crystal)}
    for row in double_counting.table(potential, crystal, laws, 3, 4).values():
        assert max(row["exact"]["largest difference"].values()) < double_counting.GOAL
        assert row["exact"]["naive over own"] == pytest.approx(2.0, abs=1e-6)
        assert np.abs(row["own"]).max() > 0.5


@pytest.mark.parametrize("name", [name for name in SCHEMES if name != "atomistic"])
@pytest.mark.parametrize("material", ["triangular", "stillinger-weber"])
def test_the_law_for_masked_atoms_enters_every_scheme_under_its_own_mask(material, name) -> None:
    """Rigid halves of free and slaved atoms: the term's energy is Γ times the area left to it, (1 − χ) w, and its
    gradient and stiffness are derivatives."""
    patch = make_patch(material, COMM)
    masking = masking_of(patch.model, by_surface_cell(GRADED, patch.crystal))
    law = Uber.of(0.17, 0.22, 0.1, np.array([[3.8, 0.0], [0.0, 3.3]]))
    term = plane_law(patch.model, masking, law)
    model = replace(patch.model, atomistic=masked(patch.model.atomistic, masking), terms=(term,))
    model = replace(patch, model=model).scheme(name).model
    (term,) = model.terms
    faces = term.faces
    own = model.mask(faces.points) * (1.0 - by_surface_cell(GRADED, patch.crystal)(faces.points))
    np.testing.assert_allclose(faces.share, own, atol=1e-12)

    rng, h = np.random.default_rng(2), 1e-5
    q, v = model.vector(), model.vector()
    q.array[:], v.array[:] = 0.1 * rng.normal(size=(2, q.getLocalSize()))
    g, out, both = model.vector(), model.vector(), []
    term.energy_gradient(q, g)
    for s in (h, -h):
        moved, slope = q.copy(), model.vector()
        moved.axpy(s, v)
        both.append((term.energy_gradient(moved, slope), slope.array.copy()))
    assert g.dot(v) == pytest.approx((both[0][0] - both[1][0]) / (2 * h), rel=1e-6)
    term.stiffness(q).mult(v, out)
    change = (both[0][1] - both[1][1]) / (2 * h)
    np.testing.assert_allclose(out.array, change, atol=1e-6 * largest(change))
