"""What every piece of a study file is, and the whole of one."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from app.core.canonical import digest


class Part(BaseModel):
    """A piece of a study file: frozen, unknown keys refused, read by the names the file uses."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Whole(Part):
    """The content of a file: from JSON values, and back to them."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The content of a parsed file, or of what `canonical` gave. Raises ValidationError for a wrong shape.

        Nothing is made into another type: a number in quotes is no number. Read as JSON, where a list may stand for a
        tuple and a text for a word of a vocabulary; a date of TOML is none of the JSON values, so it is no text.
        """
        return cls.model_validate_json(json.dumps(data, default=lambda value: [str(value)]), strict=True)

    def canonical(self) -> dict[str, Any]:
        """The content as JSON values under the file's keys. Defaults are left out: a new key changes no digest."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical content, hex: what the trail names."""
        return digest(self.canonical())
