"""Fitting a potential to energies, forces and stresses."""
