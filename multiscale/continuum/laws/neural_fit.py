"""Fits a neural law to samples by the Levenberg–Marquardt method, on energies and stresses at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from multiscale.continuum.laws.invariants import Invariants, invariants_of, turns
from multiscale.continuum.laws.network import Network
from multiscale.continuum.laws.neural import NeuralDensity
from multiscale.continuum.laws.samples import Samples, cauchy_born_samples
from multiscale.continuum.laws.strain import Known, StrainLaw, mandel_rotation, mandel_stiffness
from nnp.crystal import Crystal
from nnp.homogeneous import elastic_tensor
from nnp.potential import Potential

Array = np.ndarray
STRAIN = 0.08
"""Largest principal strain of the Cauchy–Born samples."""


def fit_to_crystal(potential: Potential, crystal: Crystal, samples: int = 800, steps: int = 60) -> StrainLaw:
    """The Cauchy–Born response of a crystal, its elastic constants exact. ValueError where the crystal's point
    group is none that is known."""
    data = cauchy_born_samples(potential, crystal, samples, STRAIN, crowding=3.0)
    turn = mandel_rotation(crystal.frame.T)
    data = Samples(data.strain @ turn.T, data.energy, data.stress @ turn.T)
    second = turn @ mandel_stiffness(elastic_tensor(potential, crystal)) @ turn.T
    return fit(data, crystal, second, hidden=(12, 12), ridge=1e-3, steps=steps)


def fit(
    samples: Samples,
    crystal: Crystal,
    second: Array | None,
    hidden: tuple[int, int] = (6, 6),
    ridge: float = 1e-2,
    steps: int = 60,
) -> StrainLaw:
    """A law with the symmetry of a crystal from samples in the crystal's own axes. second: its elastic constants
    (6, 6) in Mandel components there; None: those that fit the samples best. hidden: sizes of the layers; ridge: weight
    of the network's parameters beside the errors, which are of size one before the fit (both of a size for a table
    of tens of rows). ValueError where the samples do not determine the elastic constants."""
    basis, group = invariants_of(crystal), turns(crystal)
    free = _allowed(group, basis)
    if second is None:
        second = _linear(samples, free)
    else:
        free = free[:0]
    density = _Fit(_start(samples, second, basis, hidden), samples, free, ridge).run(steps)
    misfit = density.stress(samples.strain)[1] - samples.stress
    error = float(np.sqrt(np.nanmean(misfit**2) / np.nanmean(samples.stress**2)))
    return StrainLaw(density, Known(_metric(samples.strain, group, basis)), crystal.frame, error)


def _allowed(group: Array, basis: Invariants) -> Array:
    """An orthonormal basis (r, 6, 6) of the elastic constants with the symmetry."""
    unit = np.zeros((36, 6, 6))
    unit.reshape(36, 36)[np.diag_indices(36)] = 1.0
    unit = 0.5 * (unit + np.swapaxes(unit, 1, 2))
    mean = sum(M.T @ unit @ M for M in group) / len(group)
    idle = np.setdiff1d(np.arange(6), basis.active)
    mean[:, idle], mean[:, :, idle] = 0.0, 0.0
    _, size, rows = np.linalg.svd(mean.reshape(36, 36))
    return rows[size > 1e-9].reshape(-1, 6, 6)


def _linear(samples: Samples, allowed: Array) -> Array:
    """The elastic constants that fit best without a network."""
    measured = np.isfinite(samples.stress)
    system = np.einsum("rab,nb->nar", allowed, samples.strain)[measured]
    _, size, _ = np.linalg.svd(system, full_matrices=False)
    if len(size) < len(allowed) or size[-1] < 1e-6 * size[0]:
        raise ValueError(
            f"the strains and stresses do not determine the {len(allowed)} elastic constants of the crystal; give them"
        )
    return np.einsum("r,rab->ab", np.linalg.lstsq(system, samples.stress[measured], rcond=None)[0], allowed)


def _start(samples: Samples, second: Array, basis: Invariants, hidden: tuple[int, int]) -> NeuralDensity:
    strain = float(np.linalg.norm(samples.strain, axis=1).max()) / 3**0.5
    rest = samples.stress - samples.strain @ second
    size = np.sqrt((basis.values(samples.strain / strain)[0] ** 2).mean(axis=0))
    norms = np.where(size > 1e-12, size, 1.0)
    scale = max(float(np.sqrt(np.nanmean(rest**2))), 1e-6 * float(np.abs(second).max()) * strain)
    return NeuralDensity(second, basis, Network.random(len(basis), hidden), norms, strain, scale)


def _metric(e: Array, group: Array, basis: Invariants) -> Array:
    """M of the smallest ellipsoid e·M e ≤ 1 around the samples in the metric of their own spread, symmetrised.
    A component along which they hardly spread is known as far as a hundredth of the others."""
    spread = np.zeros((6, 6))
    spread[np.ix_(basis.active, basis.active)] = (e.T @ e / len(e))[np.ix_(basis.active, basis.active)]
    spread = sum(M @ spread @ M.T for M in group) / len(group)
    active = np.zeros(6)
    active[list(basis.active)] = 1e-4 * np.trace(spread)
    metric = np.linalg.pinv(spread + np.diag(active), hermitian=True)
    return metric / np.einsum("na,ab,nb->n", e, metric, e).max()


@dataclass
class _Fit:
    """Residuals over their sizes: energy over strain and stress of each sample, those not measured left out, then
    the parameters themselves. Unknowns: the network's, then the elastic constants' along `allowed` (r, 6, 6).
    weight: of the parameters."""

    start: NeuralDensity
    samples: Samples
    allowed: Array
    weight: float

    def __post_init__(self) -> None:
        d, s = self.start, self.samples
        target = np.concatenate([s.energy[:, None] / d.strain, s.stress], axis=1) / d.scale
        self.measured = np.isfinite(target)
        self.target = target[self.measured]
        self.inputs = d.inputs(s.strain)
        slope = np.einsum("rab,nb->nar", self.allowed, s.strain) / d.scale
        value = 0.5 * np.einsum("na,nar->nr", s.strain, slope) / d.strain
        self.by_constants = np.concatenate([value[:, None], slope], axis=1)[self.measured]
        self.ridge = self.weight * (len(self.target) / len(d.network.parameters)) ** 0.5

    def run(self, steps: int) -> NeuralDensity:
        density, damping = self.start, 1e-2
        residual, f = self._residual(density)
        for _ in range(steps):
            J, p = self._jacobian(density), density.network.parameters
            ridge = np.zeros(J.shape[1])
            ridge[: len(p)] = self.ridge**2
            H = J.T @ J + np.diag(ridge)
            g = J.T @ residual
            g[: len(p)] += self.ridge**2 * p
            while True:
                step = -np.linalg.solve(H + damping * np.diag(np.diag(H) + 1e-6 * np.diag(H).mean()), g)
                trial = self._moved(density, step)
                new, f_new = self._residual(trial)
                if f_new < f or damping > 1e8:
                    break
                damping *= 4.0
            if not f_new < f * (1.0 - 1e-6):
                break
            density, residual, f, damping = trial, new, f_new, max(damping / 5.0, 1e-10)
        return density

    def _moved(self, density: NeuralDensity, step: Array) -> NeuralDensity:
        p = density.network.parameters
        second = density.second + np.einsum("r,rab->ab", step[len(p) :], self.allowed)
        return replace(density, second=second, network=density.network.with_parameters(p + step[: len(p)]))

    def _residual(self, density: NeuralDensity) -> tuple[Array, float]:
        energy, stress = density.stress(self.samples.strain)
        all_ = np.concatenate([energy[:, None] / density.strain, stress], axis=1) / density.scale
        residual = all_[self.measured] - self.target
        return residual, float(residual @ residual + self.ridge**2 * (density.network.parameters**2).sum())

    def _jacobian(self, density: NeuralDensity) -> Array:
        """By the unknowns (rows, p + r)."""
        net, (x, B), low = density.network, self.inputs, density.degree_two
        zero = np.zeros((1, x.shape[1]))
        directions = np.eye(x.shape[1])[None, :low]
        low_slopes = net.slope_by_parameters(zero, directions)[0]
        h = 1e-30
        second = net.slope_by_parameters(zero + 1j * h * directions[:, 0], directions[:, :1]).imag[0, 0] / h
        value = net.value_by_parameters(x) - net.value_by_parameters(zero) - x[:, :low] @ low_slopes
        value -= 0.5 * (x[:, :1] ** 2) * second
        slope = net.slope_by_parameters(x, np.swapaxes(B, 1, 2))
        slope -= np.swapaxes(B[:, :low], 1, 2) @ low_slopes + (x[:, :1] * B[:, 0])[:, :, None] * second
        by_network = np.concatenate([value[:, None], slope], axis=1)[self.measured]
        return np.concatenate([by_network, self.by_constants], axis=1)
