"""Every stored act is a change: who, when, why, and which rows, sealed to the change before it."""

from app.audit.trail import APPEND_ONLY, EXEMPT, By, Change, System, change, start_chain

__all__ = ["APPEND_ONLY", "EXEMPT", "By", "Change", "System", "change", "start_chain"]
