"""Which reader reads what: one function from bytes to grids for each kind that :mod:`.sniff` tells.

Here: that table; a reader is imported when a file needs it. Not here: the choice of the kind, and packed files.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from schemas.grid import Grid

from .limits import Limits

_READERS = {
    "xlsx": ("workbook", "read_workbook"),
    "xlsb": ("xlsb", "read_xlsb"),
    "xls": ("xls", "read_xls"),
    "ods": ("ods", "read_ods"),
    "xmlsheet": ("xmlsheet", "read_xmlsheet"),
    "html": ("webpage", "read_html"),
    "mhtml": ("webpage", "read_mhtml"),
    "csv": ("csvfile", "read_one"),
    "json": ("jsonfile", "read_json"),
    "parquet": ("parquetfile", "read_parquet"),
}


def reader(kind: str) -> Callable[[bytes, Limits], list[Grid]]:
    """The reader of a kind: bytes -> grids, or :class:`schemas.grid.Unreadable`."""
    module, name = _READERS[kind]
    read: Callable[[bytes, Limits], list[Grid]] = getattr(import_module(f".{module}", __package__), name)
    return read
