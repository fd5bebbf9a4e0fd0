"""Semantic types: how a column of raw cells becomes typed values, issue codes and recorded repairs.

Here: what each ``semanticType`` of a contract accepts, and the one function that cleans a column, :func:`clean`.
Not here: finding cells (intake), comparing rows, columns or submissions (expectations, core), what a code is called
(:mod:`schemas.codes`). What can be read in two ways is never guessed: it gets an issue and no value.
"""

from schemas.semantic.base import Cell, Cleaned, Context, SemanticType
from schemas.semantic.registry import (
    SEMANTIC_TYPES,
    clean,
    cleaning_order,
    key_form,
    option_problems,
    polars_type,
    sql_type,
)

__all__ = [
    "SEMANTIC_TYPES",
    "Cell",
    "Cleaned",
    "Context",
    "SemanticType",
    "clean",
    "cleaning_order",
    "key_form",
    "option_problems",
    "polars_type",
    "sql_type",
]
