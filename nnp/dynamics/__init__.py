"""Molecular dynamics: ensembles, time step, averages, a trajectory that survives a kill."""

from nnp.dynamics.averages import Thermodynamics, thermodynamics
from nnp.dynamics.ensembles import ENSEMBLES
from nnp.dynamics.run import run_md
from nnp.dynamics.timestep import highest_frequency, suggested_timestep
from nnp.dynamics.watch import DynamicsError

__all__ = [
    "ENSEMBLES",
    "DynamicsError",
    "Thermodynamics",
    "highest_frequency",
    "run_md",
    "suggested_timestep",
    "thermodynamics",
]
