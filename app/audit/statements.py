"""The statements of the trail, each put together once for the columns and tables it speaks of."""

from functools import lru_cache

from sqlalchemy import Table, bindparam, func, insert, select, update

from app import models
from app.core.prepared import Prepared

SEALED_COLUMNS = tuple(str(c.name) for c in models.change.columns if c.name not in {"seq", "digest", "hash"})
"""What a row of `change` says; the rest is its place in the chain."""


@lru_cache(maxsize=256)
def updating(table: Table, names: tuple[str, ...]) -> Prepared:
    """Give one row new values of these columns and return it: `key_<column>` finds it, `new_<column>` is the value."""
    keys = (column == bindparam(f"key_{column.name}") for column in table.primary_key.columns)
    new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    return Prepared(update(table).where(*keys).values(new).returning(table))


@lru_cache(maxsize=256)
def storing(tables: tuple[Table, ...]) -> Prepared:
    """Store a row in each of `tables`, in one round trip: `<n>_<column>` is the row of the n-th."""
    *others, last = (
        insert(table).values({c.name: bindparam(f"{place}_{c.name}", type_=c.type) for c in table.columns})
        for place, table in enumerate(tables)
    )
    return Prepared(last.add_cte(*(other.cte(f"stored_{place}") for place, other in enumerate(others))))


def _sealing() -> Prepared:
    chain, change = models.chain, models.change
    digest = bindparam("digest_", type_=chain.c.hash.type)
    head = (
        update(chain)
        .where(chain.c.study_id == bindparam("row_study_id", type_=chain.c.study_id.type))
        .values(seq=chain.c.seq + 1, hash=func.sha256(chain.c.hash.concat(digest)))
        .returning(chain.c.seq, chain.c.hash)
        .cte("head")
    )
    named = (bindparam(f"row_{name}", type_=change.c[name].type) for name in SEALED_COLUMNS)
    sealed = insert(change).from_select(
        [*SEALED_COLUMNS, "digest", "seq", "hash"],
        select(*named, digest, head.c.seq, head.c.hash),
        include_defaults=False,
    )
    return Prepared(sealed.returning(change.c.seq, change.c.hash))


SEALING = _sealing()
"""Move the head of a chain and store the change at it: `row_<column>` is the change, `digest_` its digest."""
