"""Whether people have said something of a subject's pages: read with the subject, so that a save asks no further."""

from sqlalchemy import ColumnElement, exists

from app import models


def reviewed(study: ColumnElement[str], subject: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether there is a mark on any page, as a column of another statement."""
    table = models.verification
    return exists().where(table.c.study_id == study, table.c.subject_id == subject)
