"""Potentials in closed form, one per file."""
