"""Interatomic potentials: neural and analytic, one interface, ASE units (Å, eV, amu)."""
