"""Column types that every chapter uses."""

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB

SYSTEM = "-"
"""The key of the chain that is no study's: accounts, logins, exports, released forms."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = Text(collation="C")
"""Text that people use as an address; the C collation sorts it alike on every server."""

Moment = DateTime(timezone=True)

Json = JSONB(none_as_null=True)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """The CHECK that keeps a column within its vocabulary."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(word.value) for word in words)})", name=column)


def key(name: str, *args: Any, **kwargs: Any) -> "Column[str]":
    """A text column that is part of an address."""
    return Column(name, Key, *args, nullable=kwargs.pop("nullable", False), **kwargs)
