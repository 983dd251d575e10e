"""Surfaces, vacancies and the report, against bond counting and published figures."""

import json

import pytest

from nnp.crystal import make_crystal
from nnp.homogeneous import lattice_constant
from nnp.observables import CRACKS, J_PER_M2, MPA_SQRT_M, griffith, report
from nnp.reference import compared, read_reference
from nnp.registry import make_potential
from nnp.surfaces import oriented, surface_energy, vacancy_energy

SW = make_potential("stillinger-weber")
EPSILON = 2.1683  # eV per bond: at equilibrium the angular terms vanish and bonds are all there is
A = lattice_constant(SW, "diamond", "Si")


@pytest.mark.parametrize(
    "plane, bonds, area",
    [((1, 0, 0), 2, 0.5), ((1, 1, 0), 2, 0.5**0.5), ((1, 1, 1), 1, 0.75**0.5 / 2)],
)
def test_cut_surfaces_cost_their_broken_bonds(plane, bonds, area):
    two_gamma = 2 * surface_energy(SW, oriented("diamond", "Si", A, plane))
    assert two_gamma == pytest.approx(bonds * EPSILON / (area * A**2), rel=2e-5)


def test_a_cut_vacancy_costs_four_bonds_less_one_cohesive_energy():
    crystal = make_crystal("diamond", "Si", A)
    assert vacancy_energy(SW, crystal, repeat=2, relaxed=False) == pytest.approx(2 * EPSILON, rel=1e-5)


def test_relaxation_lowers_a_surface_and_a_vacancy():
    lj = make_potential("lennard-jones")
    a = lattice_constant(lj, "fcc", "Ar")
    crystal = oriented("fcc", "Ar", a, (1, 0, 0))
    assert 0.98 < surface_energy(lj, crystal, relaxed=True) / surface_energy(lj, crystal) < 0.999
    cut, relaxed = (vacancy_energy(lj, make_crystal("fcc", "Ar", a), 3, relaxed=r) for r in (False, True))
    assert 0.9 * cut < relaxed < cut


@pytest.mark.parametrize("name, published", [("(111)[1-10]", 0.615), ("(110)[1-10]", 0.688)])
def test_griffith_values_of_stillinger_weber_silicon(name, published):
    found = griffith(SW, make_crystal("diamond", "Si", A, CRACKS[name])) / MPA_SQRT_M
    assert found == pytest.approx(published, abs=6e-4)


def test_units():
    one = [16.02176634 * J_PER_M2, 1.602176634 * MPA_SQRT_M]  # from the charge of the electron
    assert one == pytest.approx([1.0, 1.0], rel=1e-7)


def test_report_is_json_and_holds_the_literature():
    found = json.loads(json.dumps(report(SW, "diamond", "Si")))
    value = {k: v["value"] for k, v in found.items() if isinstance(v, dict) and "value" in v}
    assert value["lattice_constant"] == pytest.approx(5.431, abs=1e-3)
    assert value["cohesive_energy"] == pytest.approx(-4.3363, abs=1e-3)
    published = {"C11": 151.4, "C12": 76.4, "C44": 56.4, "C44_clamped": 109.8, "bulk_modulus": 101.4}
    for key, number in published.items():
        assert value[key] == pytest.approx(number, abs=0.06), key
    assert value["internal_shift"] == pytest.approx(-0.629 * A / 4, rel=2e-3)
    assert value["kleinman_zeta"] == pytest.approx(0.629, rel=2e-3)
    assert found["phonons"]["lowest"]["value"] > 0.0 and "note" not in found["phonons"]["lowest"]
    assert found["vacancy"]["cut"]["value"] == pytest.approx(2 * EPSILON, rel=1e-5)
    assert set(found["stacking_rigid"]) == {"glide_unstable", "stacking_fault", "shuffle_unstable"}
    assert len(found["separation"]["(110)"]["curve"]["opening_A"]) > 10
    compared(found, read_reference("si"))
    assert set(found["griffith_K_cut"]) == set(found["griffith_K_relaxed"]) == set(CRACKS)
    for kind in ("cut", "relaxed"):  # K² ∝ 2γ, on the same plane
        K = found[f"griffith_K_{kind}"]["(111)[1-10]"]["value"]
        γ = found[f"surface_energy_{kind}"]["(111)"]["value"]
        assert K**2 / γ == pytest.approx(
            found["griffith_K_cut"]["(111)[1-10]"]["value"] ** 2 / (2.72 / 2), rel=2e-3
        )
    assert found["surface_energy_cut"]["(111)"]["value"] == pytest.approx(2.72 / 2, abs=2e-3)
    with pytest.raises(ValueError, match="flat"):
        report(make_potential("triangular"), "triangular", "X")
