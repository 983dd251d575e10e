"""VTK's XML files for unstructured grids, compressed: one piece (.vtu) per rank and their list (.pvtu)."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

import numpy as np

from multiscale.writers.snapshot import Array, Fields, MeshSnapshot

_TYPES = {"f8": "Float64", "f4": "Float32", "i4": "Int32", "i8": "Int64", "u1": "UInt8", "i1": "Int8"}
_BLOCK = 1 << 22
"""Bytes compressed at a time; VTK reads blocks of any size."""


def vtu(mesh: MeshSnapshot) -> bytes:
    """The file of one piece."""
    m, k = mesh.cells.shape
    cells = {
        "connectivity": mesh.cells.ravel().astype(np.int64),
        "offsets": np.arange(1, m + 1, dtype=np.int64) * k,
        "types": np.full(m, mesh.cell_type, dtype=np.uint8),
    }
    parts = [
        f'<Piece NumberOfPoints="{len(mesh.points)}" NumberOfCells="{m}">',
        _section("Points", {"Points": np.asarray(mesh.points, dtype=np.float64)}),
        _section("Cells", cells),
        _section("PointData", mesh.point_data),
        _section("CellData", mesh.cell_data),
        "</Piece>",
    ]
    return _file("UnstructuredGrid", "\n".join(parts))


def pvtu(pieces: Sequence[str], mesh: MeshSnapshot) -> bytes:
    """The file that lists the pieces, with the arrays of one of them."""
    parts = [
        _declared("PPoints", {"Points": np.zeros((0, 3))}),
        _declared("PPointData", mesh.point_data),
        _declared("PCellData", mesh.cell_data),
        *(f"<Piece Source={quoteattr(piece)}/>" for piece in pieces),
    ]
    return _file("PUnstructuredGrid", "\n".join(parts), ' GhostLevel="0"')


def _file(kind: str, body: str, attributes: str = "") -> bytes:
    head = (
        f'<?xml version="1.0"?>\n<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" '
        'header_type="UInt64" compressor="vtkZLibDataCompressor">\n'
    )
    return f"{head}<{kind}{attributes}>\n{body}\n</{kind}>\n</VTKFile>\n".encode()


def _section(tag: str, arrays: Fields) -> str:
    inner = "".join(
        f'<DataArray {_attributes(name, a)} format="binary">{_encoded(a)}</DataArray>\n'
        for name, a in ((name, _storable(a)) for name, a in arrays.items())
    )
    return f"<{tag}>\n{inner}</{tag}>"


def _declared(tag: str, arrays: Fields) -> str:
    inner = "".join(f"<PDataArray {_attributes(name, _storable(a))}/>\n" for name, a in arrays.items())
    return f"<{tag}>\n{inner}</{tag}>"


def _attributes(name: str, a: Array) -> str:
    components = int(np.prod(a.shape[1:], dtype=int))
    return f'type="{_TYPES[a.dtype.str[1:]]}" Name={quoteattr(name)} NumberOfComponents="{components}"'


def _storable(a: Array) -> Array:
    """Contiguous little-endian array of a type that VTK knows."""
    a = np.asarray(a)
    if a.dtype == bool:
        a = a.astype(np.uint8)
    elif a.dtype.str[1:] not in _TYPES:
        a = a.astype(np.float64 if a.dtype.kind == "f" else np.int64)
    return np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<"))


def _encoded(a: Array) -> str:
    """Base64 of [blocks, bytes in each, bytes in a short last one, compressed sizes…], then of the blocks."""
    raw = a.tobytes()
    blocks = [zlib.compress(raw[k : k + _BLOCK], 1) for k in range(0, len(raw), _BLOCK)]
    head = np.array([len(blocks), _BLOCK, len(raw) % _BLOCK, *map(len, blocks)], dtype="<u8")
    return (base64.b64encode(head.tobytes()) + base64.b64encode(b"".join(blocks))).decode()
