"""The table, and the way from a table and grants to a yes or a no."""

import itertools
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import models
from app.access.actor import Actor, Grant, SystemActor, require, sites, studies
from app.access.permissions import (
    OWN,
    SIGNED_IN_ONLY,
    SYSTEM_ROLES,
    TABLE,
    WHOLE_STUDY,
    Permission,
    Role,
    allows,
    as_markdown,
)
from app.core.errors import Forbidden, NotFound
from app.models.access import Role as StoredRole
from app.models.access import TokenKind

CLINICAL = {
    Permission.SUBJECT_READ, Permission.SUBJECT_CREATE, Permission.SUBJECT_TRANSFER, Permission.RECORD_READ,
    Permission.RECORD_WRITE, Permission.RECORD_VOID, Permission.HISTORY_READ, Permission.FINDING_READ,
    Permission.ENDPOINT_READ, Permission.DERIVE, Permission.IMPORT, Permission.EXPORT_CLINICAL, Permission.AUDIT_READ,
    Permission.QUERY_READ, Permission.QUERY_THREAD, Permission.QUERY_OPEN, Permission.QUERY_ANSWER,
    Permission.QUERY_REVIEW,
}  # fmt: skip
WRITES = {
    Permission.SUBJECT_CREATE, Permission.SUBJECT_TRANSFER, Permission.RECORD_WRITE, Permission.RECORD_VOID,
    Permission.IMPORT, Permission.DERIVE, Permission.STUDY_PUBLISH,
    Permission.STUDY_SITE_CHANGE, Permission.GRANT_MANAGE, Permission.ACCOUNT_MANAGE,
}  # fmt: skip
SPEAKS = {Permission.QUERY_OPEN, Permission.QUERY_ANSWER, Permission.QUERY_REVIEW}


def person(*grants: Grant, kind: str = TokenKind.SESSION) -> Actor:
    return Actor(uuid4(), "someone", "Some One", "session:1", grants=grants, kind=kind)


def test_the_stored_roles_are_those_of_the_table() -> None:
    assert [role.value for role in Role] == [role.value for role in StoredRole]


def test_every_permission_is_decided() -> None:
    assert set(TABLE) == set(Permission)


@pytest.mark.parametrize("role", [Role.SPONSOR, Role.INSPECTOR, Role.STATISTICIAN, Role.MONITOR])
def test_who_only_looks_on_writes_nothing(role: Role) -> None:
    assert not [permission for permission in WRITES if allows(role, permission)]


@pytest.mark.parametrize("role", [Role.SPONSOR, Role.INSPECTOR, Role.STATISTICIAN])
def test_who_only_looks_on_says_nothing_in_a_query(role: Role) -> None:
    assert allows(role, Permission.QUERY_READ)
    assert not [permission for permission in SPEAKS if allows(role, permission)]


def test_nobody_closes_what_they_answer() -> None:
    assert not TABLE[Permission.QUERY_ANSWER] & TABLE[Permission.QUERY_REVIEW]


def test_who_reads_a_page_reads_what_is_asked_about_it() -> None:
    assert TABLE[Permission.RECORD_READ] <= TABLE[Permission.QUERY_THREAD] <= TABLE[Permission.QUERY_READ]


@pytest.mark.parametrize("role", sorted(SYSTEM_ROLES))
def test_the_roles_of_the_system_see_no_patient(role: Role) -> None:
    assert not [permission for permission in CLINICAL if allows(role, permission)]


def test_pages_are_written_at_their_site_and_by_nobody_else() -> None:
    for permission in (Permission.RECORD_WRITE, Permission.RECORD_VOID, Permission.SUBJECT_CREATE):
        assert TABLE[permission] == {Role.COORDINATOR, Role.INVESTIGATOR}


def test_a_sponsor_reads_no_free_text_and_takes_no_export() -> None:
    for permission in (
        Permission.RECORD_READ, Permission.HISTORY_READ, Permission.QUERY_THREAD, Permission.EXPORT_CLINICAL,
    ):  # fmt: skip
        assert Role.SPONSOR not in TABLE[permission]


def test_what_touches_a_whole_study_is_not_given_at_one_site() -> None:
    at_site = person(Grant("T1", Role.DATA_MANAGER, "HZ01"))
    for permission in WHOLE_STUDY:
        with pytest.raises(Forbidden):
            require(at_site, permission, "T1")
    require(at_site, Permission.RECORD_READ, "T1", "HZ01")


def test_a_role_reaches_its_own_site_and_no_other() -> None:
    nurse = person(Grant("T1", Role.COORDINATOR, "HZ01"), Grant("T1", Role.MONITOR, "HZ02"))
    require(nurse, Permission.RECORD_WRITE, "T1", "HZ01")
    require(nurse, Permission.RECORD_WRITE, "T1")
    with pytest.raises(Forbidden):
        require(nurse, Permission.RECORD_WRITE, "T1", "HZ02")
    for study_id, site_id in (("T1", "HZ03"), ("T2", "HZ01"), ("T2", None)):
        with pytest.raises(NotFound):
            require(nurse, Permission.RECORD_WRITE, study_id, site_id)
    assert sites(nurse, "T1", Permission.RECORD_WRITE) == frozenset({"HZ01"})
    assert sites(nurse, "T1", Permission.RECORD_READ) == frozenset({"HZ01", "HZ02"})
    assert sites(nurse, "T2", Permission.RECORD_READ) == frozenset()
    assert studies(nurse, Permission.STUDY_READ) == frozenset({"T1"})


def test_not_found_has_the_same_words_for_whatever_reason() -> None:
    nurse = person(Grant("T1", Role.COORDINATOR, "HZ01"))
    words = set()
    for study_id, site_id in (("T1", "HZ02"), ("T1", "NONE"), ("T2", None)):
        with pytest.raises(NotFound) as refused:
            require(nurse, Permission.RECORD_READ, study_id, site_id)
        words.add(str(refused.value.as_problem()))
    assert len(words) == 1


def test_a_denial_carries_who_and_what_and_no_value() -> None:
    sponsor = person(Grant("T1", Role.SPONSOR))
    with pytest.raises(Forbidden) as refused:
        require(sponsor, Permission.RECORD_WRITE, "T1", "HZ01")
    assert refused.value.trace == {
        "action": "access.denied",
        "actor_id": sponsor.account_id,
        "actor": "Some One",
        "source": "session:1",
        "permission": "record.write",
        "study": "T1",
        "site": "HZ01",
    }


def test_a_command_on_the_server_may_do_all_of_it() -> None:
    for permission in Permission:
        require(SystemActor(), permission, "T1", "HZ01")
        assert sites(SystemActor(), "T1", permission) is None
        assert studies(SystemActor(), permission) is None


def test_a_builder_reaches_every_study_and_a_person_without_a_role_only_themselves() -> None:
    require(person(Grant(models.SYSTEM, Role.BUILDER)), Permission.STUDY_PUBLISH, "T7")
    nobody = person()
    for permission in Permission:
        if permission in OWN:
            require(nobody, permission, None)
        else:
            with pytest.raises(NotFound):
                require(nobody, permission, "T1")
            with pytest.raises(Forbidden):
                require(nobody, permission, models.SYSTEM)


def test_a_programs_token_never_has_what_needs_signing_in() -> None:
    boss = person(Grant(models.SYSTEM, Role.ADMINISTRATOR), kind=TokenKind.API)
    for permission in SIGNED_IN_ONLY:
        with pytest.raises(Forbidden):
            require(boss, permission, models.SYSTEM)


GRANTS = st.builds(
    Grant, st.sampled_from(["T1", "T2"]), st.sampled_from([*Role]), st.sampled_from([None, "HZ01", "HZ02"])
)


@given(st.lists(GRANTS, max_size=4), GRANTS, st.sampled_from([*Permission]))
def test_another_grant_never_takes_anything_away(held: list[Grant], more: Grant, permission: Permission) -> None:
    for study_id, site_id in itertools.product(["T1", "T2"], [None, "HZ01", "HZ02"]):
        if may(person(*held), permission, study_id, site_id):
            assert may(person(*held, more), permission, study_id, site_id)


@given(st.lists(GRANTS, max_size=4), st.sampled_from([*Permission]))
def test_a_list_is_filtered_to_exactly_what_may_be_read_one_by_one(held: list[Grant], permission: Permission) -> None:
    actor = person(*held)
    found = sites(actor, "T1", permission)
    for site_id in ("HZ01", "HZ02"):
        assert may(actor, permission, "T1", site_id) == (found is None or site_id in found)


def may(actor: Actor, permission: Permission, study_id: str, site_id: str | None) -> bool:
    try:
        require(actor, permission, study_id, site_id)
    except (Forbidden, NotFound):
        return False
    return True


def test_the_table_is_printed_with_a_line_per_permission() -> None:
    lines = as_markdown().splitlines()
    assert len(lines) == len(Permission) + 2
    assert {line.count("|") for line in lines} == {len(Role) + 2}
