"""Whether there is anything to be read of a subject beside its pages: read with it, so that a save asks no further."""

from sqlalchemy import ColumnElement, exists, or_

from app import models


def reviewed(study: ColumnElement[str], subject: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether there is a mark on any page, or a signature, as a column of another statement."""
    return or_(
        *(
            exists().where(table.c.study_id == study, table.c.subject_id == subject)
            for table in (models.verification, models.signature)
        )
    )


def questioned(study: ColumnElement[str], subject: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether there is a query that is not closed, as a column of another statement."""
    table = models.query
    return exists().where(table.c.study_id == study, table.c.subject_id == subject, table.c.closed_at.is_(None))
