"""Dynamics: conserved quantities, ensembles against their definitions, time steps, and runs that go wrong."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.io import read

from nnp.crystal import make_crystal
from nnp.dynamics import DynamicsError, highest_frequency, run_md, suggested_timestep, thermodynamics
from nnp.dynamics.averages import blocked_mean, heat_capacity
from nnp.dynamics.timestep import too_long
from nnp.dynamics.trajectory import TrajectoryWriter, last_frame
from nnp.equilibrium import lattice_constant
from nnp.registry import make_potential

SW = make_potential("stillinger-weber")
THZ = 1e3 * units.fs / (2.0 * np.pi)


def silicon(repeat=2, a=5.431):
    return bulk("Si", cubic=True, a=a) * (repeat, repeat, repeat)


def column(rows, name):
    return np.array([r[name] for r in rows])


def test_velocity_verlet_keeps_the_energy_to_second_order_and_the_seed_its_path():
    def run(**options):
        return run_md(silicon(), SW, temperature=600.0, steps=100, every=20, **options)

    seen = []
    rows = run(observe=lambda atoms, row: seen.append((len(atoms), row["time_fs"])))
    assert seen == [(64, t) for t in (0, 20, 40, 60, 80, 100)]
    total = column(rows, "total_eV")
    assert np.ptp(total) < 2e-3 * np.ptp(column(rows, "potential_eV"))
    assert np.array_equal(total, column(rows, "conserved_eV")) and run() == rows
    half = column(run(timestep_fs=0.5), "total_eV")
    assert np.ptp(half) == pytest.approx(0.25 * np.ptp(total), rel=0.2)
    with pytest.raises(ValueError, match="nve, langevin, nose-hoover, npt"):
        run(ensemble="npz")


@pytest.mark.parametrize("ensemble", ["langevin", "nose-hoover", "npt", "npt-cell"])
def test_every_ensemble_conserves_its_quantity_better_with_shorter_steps(ensemble):
    """While the total energy changes by heat and work, and twice as short steps conserve four times better."""
    drift = []
    for step in (2.0, 1.0):
        rows = run_md(
            silicon(), SW, temperature=600.0, steps=int(200 / step), timestep_fs=step, every=1,
            ensemble=ensemble, thermostat_fs=40.0, barostat_fs=200.0, pressure=1.0 * units.GPa,
        )  # fmt: skip
        drift.append(np.ptp(column(rows, "conserved_eV")))
        assert np.ptp(column(rows, "total_eV")) > 15.0 * drift[-1]
    assert drift[1] < 0.45 * drift[0]


def test_temperature_counts_the_degrees_of_freedom_that_move():
    """2 K = f k_B T with f = 3 (n − 1) where the centre of mass rests and 3 n where noise moves it."""
    for ensemble, free in (("nose-hoover", 21), ("langevin", 24)):
        rows = run_md(silicon(1), SW, steps=0, ensemble=ensemble)
        kinetic = rows[0]["total_eV"] - rows[0]["potential_eV"]
        assert rows[0]["temperature_K"] == pytest.approx(2 * kinetic / (free * units.kB))


def test_a_nose_hoover_chain_holds_the_temperature():
    rows = run_md(
        silicon(1), SW, temperature=500.0, steps=1000, timestep_fs=2.0, every=5,
        ensemble="nose-hoover", thermostat_fs=40.0,
    )  # fmt: skip
    mean, error = blocked_mean(column(rows, "temperature_K")[60:])
    assert error < 40.0 and abs(mean - 500.0) < 3.0 * error


def test_a_barostat_holds_the_volume_that_belongs_to_the_pressure():
    pressure, slope = 2.0 * units.GPa, 3.0
    B = (151.4 + 2 * 76.4) / 3.0 * units.GPa  # published elastic constants of this potential
    expected = 8 * 5.431**3 * (1.0 + slope * pressure / B) ** (-1.0 / slope)  # Murnaghan: 2 % smaller
    rows = run_md(
        silicon(2, 5.41), SW, temperature=20.0, pressure=pressure, steps=500, timestep_fs=2.0, every=2,
        ensemble="npt", thermostat_fs=50.0, barostat_fs=500.0,
    )  # fmt: skip
    assert np.mean(column(rows, "volume_A3")[100:]) == pytest.approx(expected, rel=3e-3)
    assert np.mean(column(rows, "pressure_GPa")[100:]) == pytest.approx(2.0, abs=0.2)


def correlated(n, memory, seed=0):
    """Gaussian series of unit variance whose correlation decays as memory^lag."""
    noise = np.random.default_rng(seed).normal(size=n) * np.sqrt(1.0 - memory**2)
    x = np.empty(n)
    x[0] = noise[0]
    for k in range(1, n):
        x[k] = memory * x[k - 1] + noise[k]
    return x


def test_error_bars_know_of_correlations():
    """The variance of the mean of such a series is (1 + m)/(1 − m)/n: nineteen times the naive one here."""
    n, memory = 8192, 0.9
    found = [blocked_mean(correlated(n, memory, seed)) for seed in range(20)]
    exact = np.sqrt((1 + memory) / (1 - memory) / n)
    assert np.mean([e for _, e in found]) == pytest.approx(exact, rel=0.25)
    assert np.mean([abs(m) < 2.0 * e for m, e in found]) >= 0.85
    assert np.isnan(blocked_mean([1.0])[1])


def test_heat_capacity_of_known_fluctuations():
    """U with the variance k_B T² c, so that C = c + ½ f k_B, within three of its own error bars."""
    T, c, free = 300.0, 50 * units.kB, 99
    u = -100.0 + np.sqrt(units.kB * T**2 * c) * correlated(20000, 0.8, seed=1)
    value, error = heat_capacity(u, T, free)
    assert error < 0.05 * c and abs(value - c - 0.5 * free * units.kB) < 3.0 * error


def test_a_cold_crystal_has_the_heat_capacity_of_its_oscillators():
    """Classical harmonic limit: k_B for each of the 3 n − 3 vibrations and ½ k_B for the free centre."""
    rows = run_md(
        silicon(1), SW, temperature=50.0, steps=1500, timestep_fs=4.0, every=2,
        ensemble="langevin", thermostat_fs=30.0,
    )  # fmt: skip
    found = thermodynamics(rows, 8, temperature=50.0)
    assert found.heat_capacity is not None
    value, error = found.heat_capacity
    mean, error_of_mean = found.temperature
    assert error_of_mean < 3.0 and abs(mean - 50.0) < 3.0 * error_of_mean
    assert error < 0.4 and abs(value - (3.0 - 1.5 / 8)) < 3.0 * error


def test_highest_frequency_is_that_of_the_whole_matrix():
    atoms = silicon(1)
    atoms.rattle(0.05, seed=0)
    atoms.set_masses(np.linspace(10.0, 30.0, 8))
    from nnp.calculator import NNPCalculator

    atoms.calc, h, H = NNPCalculator(SW), 1e-4, np.zeros((24, 24))
    for k in range(24):
        d = np.zeros(24)
        d[k] = h
        forces = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.calc = atoms.calc
            moved.positions += sign * d.reshape(8, 3)
            forces.append(moved.get_forces().ravel())
        H[k] = (forces[1] - forces[0]) / (2 * h)
    m = np.repeat(atoms.get_masses(), 3)
    exact = np.sqrt(np.linalg.eigvalsh(H / np.sqrt(np.outer(m, m))).max()) * THZ
    assert highest_frequency(SW, atoms, tolerance=1e-8) == pytest.approx(exact, rel=1e-5)
    assert highest_frequency(SW, atoms) == pytest.approx(exact, rel=2e-2)


def test_time_step_from_a_frequency():
    assert suggested_timestep(15.5) == pytest.approx(1e3 / 15.5 / 30)
    assert not too_long(suggested_timestep(15.5), 15.5) and too_long(5.0, 15.5)
    assert highest_frequency(SW, Atoms("Si", pbc=False)) == 0.0 and suggested_timestep(0.0) == np.inf


def test_runs_that_stop_being_physics_say_so_at_once():
    with pytest.raises(DynamicsError, match=r"stopped at step \d+ .*(apart|without end|not finite)"):
        run_md(silicon(), SW, temperature=300.0, timestep_fs=40.0, steps=500, every=5)
    with pytest.raises(DynamicsError, match=r"step 0 .*atoms 0 and 1 are 0.40 Å apart"):
        run_md(Atoms("Si2", [[0, 0, 0], [0.4, 0, 0]]), SW, temperature=1.0)
    pair = Atoms("Si2", [[0, 0, 0], [3.0, 0, 0]])
    pair.set_momenta([[-40.0, 0, 0], [40.0, 0, 0]])
    with pytest.raises(DynamicsError, match="atom 0 has left all others behind"):
        run_md(pair.copy(), SW, steps=100)
    assert len(run_md(pair, SW, steps=100, lost=True)) == 11


def test_what_an_ensemble_does_not_take_is_refused():
    with pytest.raises(ValueError, match="periodic in three"):
        run_md(Atoms("Si2", [[0, 0, 0], [2.4, 0, 0]]), SW, ensemble="npt", steps=1)
    with pytest.raises(ValueError, match="above zero"):
        run_md(silicon(1), SW, ensemble="nose-hoover", temperature=0.0, steps=1)


def test_a_killed_run_goes_on_from_its_last_whole_frame(tmp_path):
    """The frames are on disk as the run goes, half a frame is cut off, and momenta are kept: constant energy
    goes on along the same path as far as the digits of the file allow."""
    path = tmp_path / "md.extxyz"
    options = {"temperature": 600.0, "steps": 40, "every": 10}
    whole = run_md(silicon(1), SW, **options)
    write = TrajectoryWriter(path)
    with pytest.raises(KeyboardInterrupt):
        run_md(silicon(1), SW, **options, observe=lambda atoms, row: stop_at(20, atoms, row, write))
    text = path.read_text()
    assert len(read(path, ":")) == 3
    path.write_text(text + text[: len(text) // 5])
    atoms = last_frame(path)
    assert path.read_text() == text and atoms.info["step"] == 20
    rest = run_md(atoms, SW, **options, first_step=20)
    assert [r["step"] for r in rest] == [30, 40]
    assert rest[-1]["total_eV"] == pytest.approx(whole[-1]["total_eV"], abs=1e-5)
    assert rest[-1]["temperature_K"] == pytest.approx(whole[-1]["temperature_K"], rel=1e-4)
    path.write_text(text[:30])
    with pytest.raises(ValueError, match="no whole frame"):
        last_frame(path)


def stop_at(step, atoms, row, write):
    write(atoms, {"step": row["step"]})
    if row["step"] == step:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def shipped():
    si = make_potential("nnp", model="si")
    return si, lattice_constant(si, "diamond", "Si")


def test_the_shipped_model_keeps_the_energy(shipped):
    """Slope of the total energy over 0.7 ps at 300 K with 1 fs, meV/atom/ps. The oscillation of velocity Verlet,
    second order in the step, leaves some 0.003 of noise in so short a run; 10 ps give 3e-5."""
    si, a = shipped
    rows = run_md(silicon(2, a), si, temperature=600.0, steps=800, every=1)
    late = rows[100:]
    slope = np.polyfit(column(late, "time_fs") * 1e-3, column(late, "total_eV"), 1)[0]
    assert 200.0 < np.mean(column(late, "temperature_K")) < 400.0
    assert abs(slope) / 64 * 1e3 < 0.01


def test_the_shipped_model_vibrates_like_silicon(shipped):
    si, a = shipped
    assert (
        13.0 < highest_frequency(si, make_crystal("diamond", "Si", a).bulk_state((2, 2, 2)).to_ase()) < 18.0
    )
