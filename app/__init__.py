"""Marrow: electronic case report forms, from protocol to endpoint dates."""

from app.core.heap import spare

spare()
