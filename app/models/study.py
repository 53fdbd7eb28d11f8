"""The study as built: released forms, study versions that name them exactly, sites that have approved one."""

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
    Uuid,
)

from app.models.base import Json, Key, Moment, key, metadata

form_version = Table(
    "form_version",
    metadata,
    Column("form_id", Key, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("definition", Json, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    comment="Append-only: a released form never changes.",
)

study = Table(
    "study",
    metadata,
    key("study_id", ForeignKey("chain.study_id"), primary_key=True),
    Column("title", Json, nullable=False),
    Column("zone", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

study_version = Table(
    "study_version",
    metadata,
    key("study_id", ForeignKey("study.study_id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("definition", Json, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    comment="Append-only: a released study version never changes.",
)

study_form = Table(
    "study_form",
    metadata,
    key("study_id", primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("form_id", Key, primary_key=True),
    Column("form_version", Integer, nullable=False),
    ForeignKeyConstraint(["study_id", "version"], ["study_version.study_id", "study_version.version"]),
    ForeignKeyConstraint(["form_id", "form_version"], ["form_version.form_id", "form_version.version"]),
    comment="Append-only: the exact form versions of a study version.",
)

site = Table(
    "site",
    metadata,
    key("study_id", ForeignKey("study.study_id"), primary_key=True),
    key("site_id", primary_key=True),
    Column("name", Json, nullable=False),
    Column("zone", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_number", Integer, nullable=False),
    Column("ranges", Integer, nullable=True),
    Column("approved_on", Text, nullable=True),
    ForeignKeyConstraint(["study_id", "version"], ["study_version.study_id", "study_version.version"]),
    comment=(
        "`version` is the study version in force at the site; `last_number` counts its screening numbers; `ranges` is "
        "the import of limits of normal that holds there, null before the first."
    ),
)

reference_range = Table(
    "reference_range",
    metadata,
    key("study_id", primary_key=True),
    key("site_id", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    key("analyte"),
    key("laboratory"),
    Column("unit", Text, nullable=False),
    Column("sex", Text, nullable=True),
    Column("age_from", Integer, nullable=True),
    Column("age_to", Integer, nullable=True),
    Column("valid_from", Text, nullable=True),
    Column("valid_to", Text, nullable=True),
    Column("low", Text, nullable=True),
    Column("high", Text, nullable=True),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "site_id"], ["site.study_id", "site.site_id"]),
    comment="Append-only: the limits of normal of a site's laboratories, each import as a whole under its number.",
)
