"""Closing a scope and opening it again: one table of states, a role for each step, and two persons to unlock."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, denied
from app.access.permissions import Permission
from app.audit import Change, change
from app.core.errors import Conflict, Fault, Unreadable
from app.models.marks import LockState
from app.quality.locks.scope import Address, assert_begun, hold, open_queries, standing
from app.subjects import locked
from app.subjects.locked import Lock


class Action(StrEnum):
    """What is done to a scope. Unlocking is asked for by one person and granted, or declined, by another."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    LOCK = "lock"
    HARD_LOCK = "hard_lock"
    ASK = "ask"
    GRANT = "grant"
    DECLINE = "decline"


TRANSITIONS: Mapping[tuple[LockState, Action], LockState] = {
    (LockState.OPEN, Action.FREEZE): LockState.FROZEN,
    (LockState.OPEN, Action.LOCK): LockState.LOCKED,
    (LockState.FROZEN, Action.UNFREEZE): LockState.OPEN,
    (LockState.FROZEN, Action.LOCK): LockState.LOCKED,
    (LockState.LOCKED, Action.HARD_LOCK): LockState.HARD_LOCKED,
    (LockState.LOCKED, Action.ASK): LockState.LOCKED,
    (LockState.LOCKED, Action.DECLINE): LockState.LOCKED,
    (LockState.LOCKED, Action.GRANT): LockState.OPEN,
    (LockState.HARD_LOCKED, Action.ASK): LockState.HARD_LOCKED,
    (LockState.HARD_LOCKED, Action.DECLINE): LockState.HARD_LOCKED,
    (LockState.HARD_LOCKED, Action.GRANT): LockState.OPEN,
}
"""The state that follows; a step that is not here is refused."""

NEEDS: Mapping[Action, Permission] = {
    Action.FREEZE: Permission.LOCK_SET,
    Action.UNFREEZE: Permission.LOCK_SET,
    Action.LOCK: Permission.LOCK_SET,
    Action.HARD_LOCK: Permission.LOCK_HARD,
    Action.ASK: Permission.LOCK_ASK,
    Action.DECLINE: Permission.LOCK_GRANT,
    Action.GRANT: Permission.LOCK_GRANT,
}
"""The permission that each step takes."""

_UNASKED = dict.fromkeys(("asked_at", "asked_by", "asked_by_name", "asked_reason"))


def act(
    session: Session,
    actor: Actor,
    study_id: str,
    at: Address,
    action: Action,
    *,
    reason: str,
    despite_queries: bool = False,
) -> tuple[Mapping[str, Any], str | None]:
    """Carry out one step upon a scope; the lock as it is then, and the site that it is at.

    Raises NotFound (out of sight, or no such page or item), Forbidden (also for whoever would grant what they asked
    for themselves), Unreadable for a hard lock below a site, Locked inside a hard lock, and Conflict for a step that
    the state does not take, or a lock while queries are open unless it is set `despite_queries`.
    """
    held = hold(session, actor, study_id, at, NEEDS[action])
    before = standing(session, study_id, at)
    if before is None:
        assert_begun(session, study_id, at)
    _assert_not_within_hard_lock(held["locks"], before)
    state = LockState(before["state"]) if before else LockState.OPEN
    after = _following(state, action, at)
    if before is not None:
        _assert_asked(actor, study_id, held["site_id"], action, before)
    if action in {Action.LOCK, Action.HARD_LOCK} and not despite_queries:
        count = open_queries(session, study_id, at)
        if count:
            words = "Queries are open here. Have them answered, or say that it is locked despite them."
            raise Conflict(words, members={"open_queries": count})
    with change(session, study_id, by=actor, action=f"lock.{action}", reason=reason, zone=held["zone"]) as made:
        made.site_id, made.subject_id = held["site_id"], at.subject_id
        made.detail |= {name: value for name, value in at._asdict().items() if value is not None}
        made.detail |= {"scope": locked.scope_of(at._asdict()), "state": after.value}
        if before is not None and before["asked_at"] is not None:
            made.detail |= {"asked_by": before["asked_by_name"], "asked_reason": before["asked_reason"]}
        values = _values(made, actor, action, after, reason) | {"change_id": made.change_id}
        if before is not None:
            return made.update(models.lock, before, **values), held["site_id"]
        row = {"study_id": study_id, "lock_id": uuid4()} | at._asdict() | values
        made.insert(models.lock, row)
    return row, held["site_id"]


def _assert_not_within_hard_lock(locks: Iterable[Lock], own: Mapping[str, Any] | None) -> None:
    """What lies in a hard lock is neither closed further nor opened, until that is opened itself."""
    for lock in locks:
        if lock["state"] == LockState.HARD_LOCKED and (own is None or lock["lock_id"] != str(own["lock_id"])):
            raise locked.refusal(lock)


def _following(state: LockState, action: Action, at: Address) -> LockState:
    if action is Action.HARD_LOCK and at.subject_id is not None:
        fault = Fault("/action", "not-allowed", "Only a site or the study is hard-locked.", "Lock this instead.")
        raise Unreadable(fault.message, errors=[fault])
    after = TRANSITIONS.get((state, action))
    if after is None:
        raise Conflict("What you name is in a state that does not take this step.", members={"state": state.value})
    return after


def _values(made: Change, actor: Actor, action: Action, after: LockState, reason: str) -> dict[str, Any]:
    """What a step writes into the lock. Asking moves nothing; whatever moves it answers whoever asked."""
    if action is Action.ASK:
        asked = {"asked_at": made.at, "asked_by": actor.account_id, "asked_by_name": actor.name}
        return asked | {"asked_reason": reason}
    if action is Action.DECLINE:
        return _UNASKED
    moved = {"state": after.value, "since": made.at, "reason": reason}
    return moved | {"set_by": actor.account_id, "set_by_name": actor.name} | _UNASKED


def _assert_asked(actor: Actor, study_id: str, site_id: str | None, action: Action, before: Mapping[str, Any]) -> None:
    """It is asked for once; what is granted or declined was asked for; and whoever asked does not grant it."""
    asked = before["asked_at"] is not None
    if action is Action.ASK and asked:
        raise Conflict("Somebody has asked for this to be unlocked already; it waits to be granted.")
    if action in {Action.GRANT, Action.DECLINE} and not asked:
        raise Conflict("Nobody has asked for this to be unlocked.")
    if action is Action.GRANT and before["asked_by"] == actor.account_id:
        words = "Whoever asks for something to be unlocked does not grant it. A second person does."
        raise denied(actor, NEEDS[action], study_id, site_id, words)
