"""The schema, one chapter per file: columns and constraints, no behaviour.

Rows are addressed by what people say: study, subject number, form. Every row of a study starts its key with
`study_id`, and every foreign key within a study is composite, so that no row can point into another study.
"""

from app.models.access import account, role_grant, session_token
from app.models.amendment import migrated_page, study_migration
from app.models.audit import chain, change
from app.models.base import SYSTEM, metadata
from app.models.capture import computed, derivation, finding, idempotency, record, revision, subject
from app.models.cut import cut
from app.models.marks import lock, verification
from app.models.queries import query, query_message
from app.models.signatures import signature, signature_break, signed_page
from app.models.study import form_version, reference_range, site, study, study_form, study_version

__all__ = [
    "SYSTEM",
    "account",
    "chain",
    "change",
    "computed",
    "cut",
    "derivation",
    "finding",
    "form_version",
    "idempotency",
    "lock",
    "metadata",
    "migrated_page",
    "query",
    "query_message",
    "record",
    "reference_range",
    "revision",
    "role_grant",
    "session_token",
    "signature",
    "signature_break",
    "signed_page",
    "site",
    "study",
    "study_form",
    "study_migration",
    "study_version",
    "subject",
    "verification",
]
