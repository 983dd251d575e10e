"""Mesh generators (gmsh) and import (meshio). Plain NumPy in and out: no physics, no MPI."""
