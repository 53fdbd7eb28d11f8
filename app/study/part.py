"""What every piece of a study file is."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of a study file: frozen, unknown keys refused, read by the names the file uses."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)
