"""The finite-element bulk (DOLFINx)."""
