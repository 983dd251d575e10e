"""The density network as a family of potentials."""

from nnp.density.architecture import Architecture
from nnp.density.model import DensityPotential
from nnp.families import Family

FAMILY = Family(Architecture, DensityPotential)
