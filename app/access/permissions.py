"""One table: which role may do what. What is not in it nobody may do.

A person's roles are granted in one study, at one site or at all of them; administrators and builders are granted in
the system as a whole. The table says what a role allows, the grant says where.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """The roles of a trial, as `app.models.access.Role` stores them; this copy knows no database."""

    COORDINATOR = "coordinator"
    INVESTIGATOR = "investigator"
    MONITOR = "monitor"
    DATA_MANAGER = "data_manager"
    STATISTICIAN = "statistician"
    SPONSOR = "sponsor"
    BUILDER = "builder"
    ADMINISTRATOR = "administrator"
    INSPECTOR = "inspector"


class Permission(StrEnum):
    """Everything that Marrow asks leave for. `own.*` is what everybody may do with their own account."""

    OWN_READ = "own.read"
    OWN_SESSION_END = "own.session.end"
    OWN_PASSWORD = "own.password"  # noqa: S105 - the name of a right
    OWN_TOKEN = "own.token"  # noqa: S105 - the name of a right

    ACCOUNT_MANAGE = "account.manage"
    GRANT_READ = "grant.read"
    GRANT_MANAGE = "grant.manage"

    FORM_READ = "form.read"
    STUDY_READ = "study.read"
    STUDY_PUBLISH = "study.publish"
    STUDY_SITE_CHANGE = "study.site.change"
    MIGRATION_READ = "migration.read"
    MIGRATION_PLAN = "migration.plan"
    MIGRATION_RUN = "migration.run"

    SUBJECT_READ = "subject.read"
    SUBJECT_CREATE = "subject.create"
    SUBJECT_TRANSFER = "subject.transfer"
    RECORD_READ = "record.read"
    RECORD_WRITE = "record.write"
    RECORD_VOID = "record.void"
    HISTORY_READ = "history.read"
    FINDING_READ = "finding.read"
    QUERY_READ = "query.read"
    QUERY_THREAD = "query.thread"
    QUERY_OPEN = "query.open"
    QUERY_ANSWER = "query.answer"
    QUERY_REVIEW = "query.review"
    RECORD_VERIFY = "record.verify"
    VERIFICATION_READ = "verification.read"
    RECORD_SIGN = "record.sign"
    SIGNATURE_READ = "signature.read"
    LOCK_READ = "lock.read"
    LOCK_SET = "lock.set"
    LOCK_HARD = "lock.hard"
    LOCK_ASK = "lock.ask"
    LOCK_GRANT = "lock.grant"
    ENDPOINT_READ = "endpoint.read"
    RANGE_READ = "range.read"
    RANGE_WRITE = "range.write"
    DERIVE = "derive"
    CHECKS_RUN = "checks.run"
    IMPORT = "import"
    EXPORT_CLINICAL = "export.clinical"
    CUT_READ = "cut.read"
    CUT_CREATE = "cut.create"

    AUDIT_READ = "audit.read"
    AUDIT_SYSTEM = "audit.system"
    AUDIT_VERIFY = "audit.verify"


_EVERYBODY = frozenset(Role)
_SITE_STAFF = frozenset({Role.COORDINATOR, Role.INVESTIGATOR})
_REVIEWERS = frozenset({Role.MONITOR, Role.DATA_MANAGER})
_READERS = _SITE_STAFF | _REVIEWERS | {Role.INSPECTOR}
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_BUILDER = frozenset({Role.BUILDER})

TABLE: Mapping[Permission, frozenset[Role]] = MappingProxyType(
    {
        Permission.OWN_READ: _EVERYBODY,
        Permission.OWN_SESSION_END: _EVERYBODY,
        Permission.OWN_PASSWORD: _EVERYBODY,
        Permission.OWN_TOKEN: _EVERYBODY,
        Permission.ACCOUNT_MANAGE: _ADMINISTRATOR,
        Permission.GRANT_READ: _ADMINISTRATOR | {Role.BUILDER, Role.DATA_MANAGER, Role.INSPECTOR},
        Permission.GRANT_MANAGE: _ADMINISTRATOR,
        Permission.FORM_READ: _EVERYBODY,
        Permission.STUDY_READ: _EVERYBODY,
        Permission.STUDY_PUBLISH: _BUILDER,
        Permission.STUDY_SITE_CHANGE: _BUILDER,
        # Whoever builds a study plans what becomes of its data; it is carried out by whoever answers for them.
        Permission.MIGRATION_READ: _BUILDER | {Role.DATA_MANAGER, Role.INSPECTOR},
        Permission.MIGRATION_PLAN: _BUILDER | {Role.DATA_MANAGER},
        Permission.MIGRATION_RUN: frozenset({Role.DATA_MANAGER}),
        Permission.SUBJECT_READ: _READERS | {Role.STATISTICIAN, Role.SPONSOR},
        Permission.SUBJECT_CREATE: _SITE_STAFF,
        Permission.SUBJECT_TRANSFER: frozenset({Role.DATA_MANAGER}),
        # Pages hold free text, which a sponsor does not read; a statistician reads pages in an export.
        Permission.RECORD_READ: _READERS,
        Permission.RECORD_WRITE: _SITE_STAFF,
        Permission.RECORD_VOID: _SITE_STAFF,
        Permission.HISTORY_READ: _READERS,
        Permission.FINDING_READ: _READERS | {Role.STATISTICIAN, Role.SPONSOR},
        # What people wrote in a query is free text too: a sponsor sees which there are, where and for how long.
        Permission.QUERY_READ: _READERS | {Role.STATISTICIAN, Role.SPONSOR},
        Permission.QUERY_THREAD: _READERS | {Role.STATISTICIAN},
        Permission.QUERY_OPEN: _REVIEWERS | {Role.INVESTIGATOR},
        Permission.QUERY_ANSWER: _SITE_STAFF,
        Permission.QUERY_REVIEW: _REVIEWERS,
        Permission.RECORD_VERIFY: frozenset({Role.MONITOR}),
        Permission.VERIFICATION_READ: _READERS,
        Permission.RECORD_SIGN: frozenset({Role.INVESTIGATOR}),
        Permission.SIGNATURE_READ: _READERS | {Role.STATISTICIAN},
        Permission.LOCK_READ: _READERS | {Role.STATISTICIAN, Role.SPONSOR},
        Permission.LOCK_SET: frozenset({Role.DATA_MANAGER}),
        Permission.LOCK_HARD: frozenset({Role.DATA_MANAGER}),
        Permission.LOCK_ASK: frozenset({Role.DATA_MANAGER, Role.MONITOR}),
        Permission.LOCK_GRANT: frozenset({Role.DATA_MANAGER}),
        Permission.ENDPOINT_READ: _READERS | {Role.STATISTICIAN, Role.SPONSOR},
        Permission.RANGE_READ: _READERS | {Role.STATISTICIAN},
        Permission.RANGE_WRITE: frozenset({Role.DATA_MANAGER}),
        Permission.DERIVE: frozenset({Role.DATA_MANAGER}),
        Permission.CHECKS_RUN: frozenset({Role.DATA_MANAGER}),
        Permission.IMPORT: _SITE_STAFF | {Role.DATA_MANAGER},
        Permission.EXPORT_CLINICAL: _READERS | {Role.STATISTICIAN},
        Permission.CUT_READ: _READERS | {Role.STATISTICIAN, Role.SPONSOR},
        Permission.CUT_CREATE: frozenset({Role.DATA_MANAGER, Role.STATISTICIAN}),
        Permission.AUDIT_READ: frozenset({Role.DATA_MANAGER, Role.INSPECTOR}),
        Permission.AUDIT_SYSTEM: frozenset({Role.ADMINISTRATOR}),
        Permission.AUDIT_VERIFY: frozenset({Role.DATA_MANAGER, Role.SPONSOR, Role.ADMINISTRATOR, Role.INSPECTOR}),
    }
)
"""The permission table. A permission absent from it is held by nobody."""

SYSTEM_ROLES = frozenset({Role.ADMINISTRATOR, Role.BUILDER})
"""Granted in the system as a whole and nowhere else; all others are granted in a study and nowhere else."""

OWN = frozenset(permission for permission in Permission if permission.startswith("own."))
"""Held by everybody who has signed in, with or without a role."""

WHOLE_STUDY = frozenset(
    {
        Permission.SUBJECT_TRANSFER,
        Permission.LOCK_HARD,
        Permission.DERIVE,
        Permission.CHECKS_RUN,
        Permission.CUT_CREATE,
        Permission.AUDIT_READ,
        Permission.AUDIT_VERIFY,
        Permission.GRANT_READ,
    }
)
"""What touches every site of a study: a role granted at one site does not give it."""

SIGNED_IN_ONLY = frozenset(
    {
        Permission.ACCOUNT_MANAGE,
        Permission.GRANT_MANAGE,
        Permission.OWN_SESSION_END,
        Permission.OWN_PASSWORD,
        Permission.OWN_TOKEN,
        Permission.RECORD_SIGN,
        Permission.LOCK_HARD,
        Permission.LOCK_ASK,
        Permission.LOCK_GRANT,
    }
)
"""What a person does after signing in with a password: a token made for a program does not give it."""

PUBLIC = frozenset(
    {
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/invitations/accept"),
        ("POST", "/api/v1/password-resets/accept"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/docs"),
    }
)
"""The only routes, by method and path, that answer somebody who has not signed in."""


def allows(role: str, permission: Permission, *, at_one_site: bool = False) -> bool:
    """Whether a role allows this; `at_one_site` when it was granted for one site of the study only."""
    return role in TABLE.get(permission, frozenset()) and not (at_one_site and permission in WHOLE_STUDY)


def asks(permission: Permission) -> dict[str, str]:
    """What a route declares: `openapi_extra=asks(Permission.RECORD_READ)`. A route that declares nothing is refused."""
    return {"x-permission": permission.value}


def as_markdown() -> str:
    """The table as people read it: a line per permission, a column per role."""
    heads = [role.value.replace("_", " ") for role in Role]
    lines = ["| permission | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for permission in Permission:
        cells = ("no" if not allows(role, permission) else _reach(role, permission) for role in Role)
        lines.append(f"| `{permission}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _reach(role: Role, permission: Permission) -> str:
    if permission in OWN:
        return "own"
    if role in SYSTEM_ROLES:
        return "system"
    return "study" if permission in WHOLE_STUDY else "granted"
