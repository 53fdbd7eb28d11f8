"""A form version as a value: what a page asks, in which words, within which limits. Frozen; compared by its digest."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Lang = Literal["en", "zh"]
DEFAULT_LENGTH = 4000  # characters of a text without max_length
MAX_ROWS = 500
CHECK = "check:"
"""How the rule of a finding begins that an edit check made."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
InputName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9_]{0,31}$")
]  # some rules name a unit: csf_wbc_uL
CodeText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+./-]{1,40}$")]
Label = Annotated[str, StringConstraints(pattern=r"\S", max_length=2000)]
Unit = Annotated[str, StringConstraints(pattern=r"^\S(.{0,38}\S)?$")]


class ItemType(StrEnum):
    """What kind of answer an item takes."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    YES_NO = "yes_no"
    SINGLE = "single"
    MULTIPLE = "multiple"
    DATE = "date"
    PARTIAL_DATE = "partial_date"
    TIME = "time"
    COMPUTED = "computed"


NUMBERS = {ItemType.INTEGER, ItemType.DECIMAL}


class MissingReason(StrEnum):
    """Why an item has no value."""

    NOT_DONE = "not_done"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    NOT_AVAILABLE = "not_available"
    REFUSED = "refused"


class ComputedType(StrEnum):
    """What a formula gives."""

    DECIMAL = "decimal"
    INTEGER = "integer"
    TEXT = "text"
    YES_NO = "yes_no"
    DATE = "date"


class Severity(StrEnum):
    """What an edit check does: refuse the page, ask about it, or only say so."""

    HARD = "hard"
    QUERY = "query"
    NOTE = "note"


class Phase(StrEnum):
    """When an edit check is asked."""

    ENTRY = "entry"
    IMPORT = "import"
    BATCH = "batch"
    AMENDMENT = "amendment"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class Words(_Part):
    """The same words in English and Chinese; both always."""

    en: Label
    zh: Label

    def of(self, lang: Lang) -> str:
        """The words in one language."""
        return self.zh if lang == "zh" else self.en


class Code(_Part):
    """One choice of a single or multiple item."""

    code: CodeText
    label: Words


class Item(_Part):
    """One question. Limits are inclusive and in the canonical unit; numbers as decimal texts, dates as ISO texts."""

    id: Id
    label: Words
    help: Words | None = None
    type: Annotated[ItemType, Field(strict=False)]
    unit: Unit | None = None
    units: dict[Unit, str] = Field(default_factory=dict)
    digits: Annotated[int, Field(ge=0, le=10)] | None = None
    required: bool = False
    max_length: Annotated[int, Field(ge=1, le=100_000)] | None = None
    min: str | None = None
    max: str | None = None
    soft_min: str | None = None
    soft_max: str | None = None
    show_when: str | None = None
    missing: tuple[Annotated[MissingReason, Field(strict=False)], ...] = Field(default=(), strict=False)
    codes: tuple[Code, ...] = Field(default=(), strict=False)
    proves_life: bool | str = False
    formula: str | None = None
    calculation: Id | None = None
    output: Id | None = None
    differs: Id | None = None
    result: Annotated[ComputedType, Field(strict=False)] | None = None
    cdash: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")] | None = None
    sdtm: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None

    @cached_property
    def factors(self) -> Mapping[str, Decimal]:
        """Accepted units other than the canonical one -> what a value is multiplied with to reach it."""
        return {unit: Decimal(factor) for unit, factor in self.units.items()}

    def factor(self, unit: str) -> Decimal | None:
        """What a value in this unit is multiplied with to reach the canonical one; None where it is not accepted."""
        return Decimal(1) if unit == self.unit else self.factors.get(unit)

    @cached_property
    def codeset(self) -> frozenset[str]:
        """The codes that may be chosen."""
        return frozenset(code.code for code in self.codes)

    @cached_property
    def limits(self) -> Mapping[str, Decimal]:
        """The limits of a number: min, max, soft_min, soft_max as far as given."""
        if self.type not in NUMBERS:
            return {}
        names = ("min", "max", "soft_min", "soft_max")
        return {name: Decimal(text) for name in names if (text := getattr(self, name)) is not None}

    @cached_property
    def value_type(self) -> ItemType:
        """The type of the value itself: that of the result for a computed item."""
        return ItemType(self.result) if self.type is ItemType.COMPUTED and self.result else self.type

    @cached_property
    def is_number(self) -> bool:
        """Whether its value is a number."""
        return self.value_type in NUMBERS


class Section(_Part):
    """A group of items; a repeating one holds rows."""

    id: Id
    title: Words
    repeating: bool = False
    show_when: str | None = None
    items: tuple[Item, ...] = Field(alias="item", min_length=1, strict=False)


class ReferenceRange(_Part):
    """Which limits of normal a calculation takes from the laboratory's own: those of this analyte."""

    analyte: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,19}$")]
    value: Id
    laboratory: Id | None = None


class Calculation(_Part):
    """A published clinical rule asked with what the page says: its results feed computed items.

    `inputs` are expressions by the rule's own names; a plain name passes its value exactly. Without one of `needs`
    there is nothing to compute. In a repeating section (`rows`) each row is asked by itself.
    """

    id: Id
    rule: Id
    rows: Id | None = None
    inputs: dict[InputName, Annotated[str, StringConstraints(min_length=1, max_length=2000)]] = Field(min_length=1)
    needs: tuple[InputName, ...] = Field(default=(), strict=False)
    range: ReferenceRange | None = None


class Example(_Part):
    """Answers for which a check must fire, or must not; with what it asks beside the page."""

    answers: dict[str, Any] = Field(default_factory=dict)
    subject: dict[str, Any] = Field(default_factory=dict)
    study: dict[str, Any] = Field(default_factory=dict)
    window: dict[str, Any] = Field(default_factory=dict)
    endpoint: dict[str, Any] = Field(default_factory=dict)
    visit: str = ""


class Check(_Part):
    """An edit check: something that must not be so. It fires when `when` is certainly true; unknown never fires."""

    id: Id
    item: Id
    rows: Id | None = None
    when: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    severity: Annotated[Severity, Field(strict=False)] = Severity.QUERY
    phases: tuple[Annotated[Phase, Field(strict=False)], ...] = Field(default=tuple(Phase), strict=False)
    message: Words
    remedy: Words
    fires: tuple[Example, ...] = Field(min_length=1, strict=False)
    passes: tuple[Example, ...] = Field(min_length=1, strict=False)

    @property
    def rule(self) -> str:
        """The name of what it finds."""
        return CHECK + self.id


class Form(_Part):
    """One version of a CRF page. `dated` is the item that says on which day the page was true."""

    form: Id
    version: Annotated[int, Field(ge=1, le=9999)]
    title: Words
    domain: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")]
    repeating: bool = False
    dated: Id | None = None
    sections: tuple[Section, ...] = Field(alias="section", min_length=1, strict=False)
    calculations: tuple[Calculation, ...] = Field(default=(), alias="calculation", strict=False)
    checks: tuple[Check, ...] = Field(default=(), alias="check", strict=False)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Form":
        """The form of a `canonical()` dict, or of a TOML file already found free of mistakes."""
        return cls.model_validate(data)

    def canonical(self) -> dict[str, Any]:
        """The form as plain JSON values under the keys of the file; keys at their default are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def canonical_json(self) -> str:
        """`canonical()` as one text: sorted keys, no spaces, so equal forms have equal texts."""
        return json.dumps(self.canonical(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical text, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items in the order of the page, rows included."""
        return tuple(item for section in self.sections for item in section.items)

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """What others work out from the form once, such as its compiled expressions."""
        return {}

    @cached_property
    def _items(self) -> dict[str, Item]:
        return {item.id: item for item in self.items}

    @cached_property
    def _sections_of(self) -> dict[str, Section]:
        return {item.id: section for section in self.sections for item in section.items}

    @cached_property
    def units(self) -> Mapping[str, str]:
        """The canonical unit of each number that may be entered in several."""
        return {item.id: item.unit for item in self.items if item.units and item.unit is not None}

    @cached_property
    def day_item(self) -> str | None:
        """The item that dates the page: the one it names, else its first date outside rows."""
        if self.dated is not None:
            return self.dated
        days = (item.id for part in self.sections if not part.repeating for item in part.items)
        return next((name for name in days if self.item(name).type is ItemType.DATE), None)

    def day(self, answers: Mapping[str, Any]) -> str:
        """The day of a page as it is written; empty where it has none."""
        answer = answers.get(self.day_item) if self.day_item is not None else None
        return answer if isinstance(answer, str) else ""

    @cached_property
    def row_sections(self) -> Mapping[str, Section]:
        """The repeating sections by id."""
        return {section.id: section for section in self.sections if section.repeating}

    def item(self, item_id: str) -> Item:
        """The item of this id. Raises KeyError."""
        return self._items[item_id]

    def has(self, item_id: str) -> bool:
        """Whether there is an item of this id."""
        return item_id in self._items

    def section(self, section_id: str) -> Section:
        """The section of this id. Raises KeyError."""
        for section in self.sections:
            if section.id == section_id:
                return section
        raise KeyError(section_id)

    def section_of(self, item_id: str) -> Section:
        """The section an item stands in. Raises KeyError."""
        return self._sections_of[item_id]

    def name(self) -> str:
        """The exact version as it is written: haematology v1."""
        return f"{self.form} v{self.version}"
