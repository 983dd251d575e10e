"""What fixes the shape of a density network."""

from __future__ import annotations

from dataclasses import dataclass

from nnp.ranges import COUNT, REACH, within


@dataclass(frozen=True)
class Architecture:
    """Sizes of the descriptor and of the networks.

    type: the family, always "density". cutoff: reach, Å. radial: Chebyshev polynomials in the radial basis.
    channels: learned radial functions. degree: highest harmonic of the moments (at most 4). three_body:
    three-body invariants for each degree. many_body: channels of the four- and five-body invariants;
    many_degree: their highest harmonic. five_body: whether there are five-body ones. hidden: widths of the hidden
    layers. repulsion: distance where the short-range repulsion has ended, Å; below it the network's radial functions
    flatten out (0: neither).
    """

    type: str = "density"
    cutoff: float = 5.0
    radial: int = 10
    channels: int = 12
    degree: int = 4
    three_body: int = 24
    many_body: int = 12
    many_degree: int = 2
    five_body: bool = True
    hidden: tuple[int, ...] = (64, 64)
    repulsion: float = 1.8

    def __post_init__(self) -> None:
        within(
            self,
            cutoff=REACH,
            radial=COUNT,
            channels=COUNT,
            three_body=COUNT,
            many_body=(0, 10_000),
            hidden=COUNT,
        )
        if not 0 <= self.many_degree <= self.degree <= 4:
            raise ValueError(
                f"need 0 <= many_degree <= degree <= 4, not {self.many_degree} and {self.degree}"
            )
        if not 0.0 <= self.repulsion < self.cutoff:
            raise ValueError(f"repulsion must lie between 0 and the cutoff, not {self.repulsion}")
