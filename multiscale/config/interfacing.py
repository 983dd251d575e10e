"""Checks of the cohesive surface on the crack plane, and of who holds it together."""

from __future__ import annotations

from multiscale.config.case import Case
from multiscale.config.errors import InputError
from multiscale.config.interface import InterfaceConfig
from multiscale.config.reading import near

COHESIVE_LAWS = ("derive", "uber", "xu-needleman", "ppr")
"""Words for interface.law beside none and the path of a law file."""


def check_interface(case: Case) -> None:
    """A cohesive surface lies on the crack plane of the mesh of a disc or plate."""
    interface, mesh = case.interface, case.continuum.mesh
    _check_chi(interface)
    if interface.law == "none":
        for key in ("interface_h", "interface_length"):
            if getattr(mesh, key) is not None:
                raise InputError(f"continuum.mesh.{key}", "needs a cohesive surface; set interface.law")
        return
    if interface.law not in COHESIVE_LAWS and not interface.law.endswith(".json"):
        allowed = ("none", *COHESIVE_LAWS)
        raise InputError(
            "interface.law",
            f"must be one of {', '.join(allowed)}, or the path of a law file ending in .json, got "
            f"{interface.law}{near(interface.law, allowed)}",
        )
    if interface.upper is not None and interface.surfaces == "relaxed":
        raise InputError(
            "interface.surfaces", "must be rigid with interface.upper, whose surface is another, got relaxed"
        )
    if case.geometry.crack is None and case.geometry.shape != "tip":
        raise InputError(
            "interface.law", "must be none without geometry.crack, whose plane the surface follows"
        )


def _check_chi(interface: InterfaceConfig) -> None:
    values = {"interface.chi": interface.chi}
    if interface.fade is not None:
        values["interface.fade.to"] = interface.fade.to
    for key, value in values.items():
        if value > 1.0:
            raise InputError(key, f"must be at most 1, got {value:g}")
    if min(values.values()) < 1.0 and interface.law == "none":
        key = min(values, key=values.__getitem__)
        raise InputError(key, "must be 1 without a law to hold what the atoms do not; set interface.law")
    if min(values.values()) == 1.0 and not interface.masked:
        raise InputError("interface.masked", "false says nothing where chi is 1; set interface.chi below 1")
