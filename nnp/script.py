"""Networks without this program: TorchScript modules of the same site energies.

What has no branches that depend on data (harmonics, radial functions, invariants, couplings, networks, repulsion) is
traced from the code that trains and runs them; only the sorting of pairs around it is written again, as TorchScript
takes it: one file for the density networks, one for the families of nnp.featured.
"""

import copy

import torch

from nnp.committee import Committee
from nnp.density.model import DensityPotential
from nnp.featured import FeaturedPotential
from nnp.neural import NeuralPotential
from nnp.potential import Potential
from nnp.script_density import DensityScript
from nnp.script_featured import featured_script
from nnp.state import Tensor


class ExportError(ValueError):
    """A potential that cannot be exported; the message says which can."""


class Scripted(torch.nn.Module):
    """Site energies of every member of a committee, or of the one network. local: whether a site's energy depends on
    its own pairs only, so that others need not be looked at; with message passing it does not."""

    def __init__(self, members: list[NeuralPotential]):
        super().__init__()
        self.local = all(m.receptive_field == m.cutoff for m in members)
        self.members = torch.nn.ModuleList(_script(m) for m in members)
        self.register_buffer("z", torch.tensor(members[0].numbers))

    def forward(
        self,
        vectors: Tensor,
        centre: Tensor,
        neighbour: Tensor,
        species: Tensor,
        others: Tensor,
        asked: Tensor,
    ) -> Tensor:
        """(members, S) eV. vectors (P, 3) from each centre to its neighbour, Å; centre, neighbour (P,) sites; species
        (S,) of the sites, others (P,) of the neighbours: places in the potential's `numbers`; asked (S,) bool: where
        not, the energy is 0."""
        wanted = asked[centre] if self.local else torch.ones_like(centre, dtype=torch.bool)
        chosen = torch.nonzero(wanted)[:, 0]
        chosen = chosen[torch.argsort(centre[chosen], stable=True)]
        vectors, centre, others = vectors[chosen], centre[chosen], others[chosen]
        neighbour = neighbour[chosen]
        r = vectors.square().sum(1).sqrt()
        if self.local:
            species = torch.where(asked, species, torch.full_like(species, -1))
        found = [m(r, vectors, centre, neighbour, species, others, self.z) for m in self.members]
        return torch.stack(found) * asked.to(vectors.dtype)


def _script(potential: NeuralPotential) -> torch.nn.Module:
    if isinstance(potential, DensityPotential):
        return DensityScript(potential)
    assert isinstance(potential, FeaturedPotential)
    return featured_script(potential)


def scripted(potential: Potential, dtype: torch.dtype = torch.float64) -> Scripted:
    """The module of a network of one of nnp.families, or a committee of them over the same elements, to be given to
    torch.jit.script. ExportError for another potential."""
    members = list(potential.members) if isinstance(potential, Committee) else [potential]
    mine = [m for m in members if isinstance(m, DensityPotential | FeaturedPotential)]
    if len(mine) < len(members):
        raise ExportError(
            "only networks that `nnp train` makes (density, behler, schnet, equivariant) can be exported, and "
            "committees of them: other programs have the analytic potentials, and n2p2's files, themselves"
        )
    if len({m.numbers for m in mine}) > 1:
        raise ExportError("only committees can be exported whose members know the same elements")
    return Scripted([copy.deepcopy(m).to(dtype).eval() for m in mine]).eval()
