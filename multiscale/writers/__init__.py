"""What ends up in files for ParaView, OVITO and ASE."""

from multiscale.writers.extxyz import ExtxyzWriter
from multiscale.writers.pvd import SeriesWriter
from multiscale.writers.snapshot import AtomSnapshot, MeshSnapshot

WRITERS = {"extxyz": ExtxyzWriter, "pvd": SeriesWriter}

__all__ = ["WRITERS", "AtomSnapshot", "ExtxyzWriter", "MeshSnapshot", "SeriesWriter"]
