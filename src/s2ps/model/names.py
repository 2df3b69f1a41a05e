"""File and product names, parsed and formatted both ways.

Source: Sentinel-2 Products Specification (PDI and user-product naming), DCSU session files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from s2ps.model.errors import InputError
from s2ps.model.timestamps import compact, parse_compact


def _match(pattern: re.Pattern[str], text: str, what: str, example: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise InputError(f"{what} {text!r} cannot be read", expected=f"a name such as {example}")
    return found


def _period(text: str) -> tuple[datetime, datetime]:
    start, stop = text.split("_")
    return parse_compact(start), parse_compact(stop)


def _orbits(text: str) -> tuple[int, int]:
    first, last = text.split("_")
    return int(first), int(last)


_FIELDS: dict[str, tuple[str, str, Callable[[str], Any], Callable[[Any], str]]] = {
    "S": ("sensing_start", r"\d{8}T\d{6}", parse_compact, compact),
    "O": ("orbit_period", r"\d{6}_\d{6}", _orbits, lambda v: f"{v[0]:06d}_{v[1]:06d}"),
    "V": ("validity", r"\d{8}T\d{6}_\d{8}T\d{6}", _period, lambda v: f"{compact(v[0])}_{compact(v[1])}"),
    "D": ("detector", r"\d{2}", int, lambda v: f"{v:02d}"),
    "A": ("absolute_orbit", r"\d{6}", int, lambda v: f"{v:06d}"),
    "R": ("relative_orbit", r"\d{3}", int, lambda v: f"{v:03d}"),
    "T": ("tile", r"\d{2}[A-Z]{3}", str, str),
    "N": ("baseline", r"\d{2}\.\d{2}", str, str),
    "B": ("band", r"[0-9A-Z]{2}", str, str),
    "W": ("completeness", r"[FP]", str, str),
    "L": ("degradation", r"[ND]", str, str),
}  # fmt: skip
"""Variable part of a PDI name: letter -> attribute, form, reader, writer; written in this order."""

_PDI = re.compile(
    r"(?P<unit>S2[A-Z_])_(?P<file_class>[A-Z0-9]{4})_(?P<category>[A-Z0-9]{3})_(?P<semantic>[A-Z0-9_]{6})_"
    r"(?P<site>[A-Z0-9_]{4})_(?P<creation>\d{8}T\d{6})(?P<rest>(?:_[A-Z].*?)?)(?P<extension>\.[A-Za-z][A-Za-z0-9]*)?"
)


@dataclass(frozen=True, slots=True)
class PdiName:
    """Name of a product data item or auxiliary file, such as `S2B_OPER_MSI_L1C_TL_S2PS_20260701T1200000_...`.

    `file_type` is the ten characters after the file class, as `MSI_L1C_TL`, `MSI_L0__GR`, `GIP_VIEDIR`.
    """

    unit: str
    file_type: str
    site: str
    creation: datetime
    file_class: str = "OPER"
    sensing_start: datetime | None = None
    orbit_period: tuple[int, int] | None = None
    validity: tuple[datetime, datetime] | None = None
    detector: int | None = None
    absolute_orbit: int | None = None
    relative_orbit: int | None = None
    tile: str | None = None
    baseline: str | None = None
    band: str | None = None
    completeness: str | None = None
    degradation: str | None = None
    extension: str = ""

    @classmethod
    def parse(cls, text: str) -> PdiName:
        """Read a PDI name; an `InputError` says what could not be read."""
        example = "S2B_OPER_MSI_L1C_TL_S2PS_20260701T120000_A048123_T32TPQ_N05.00"
        found = _match(_PDI, text, "PDI name", example)
        values: dict[str, Any] = {}
        rest = found["rest"]
        while rest:
            letter = rest[1:2]
            if letter not in _FIELDS:
                raise InputError(
                    f"PDI name {text!r}: {rest!r} cannot be read", expected=f"one of _{', _'.join(_FIELDS)}"
                )
            attribute, form, read, _ = _FIELDS[letter]
            part = re.match(rf"_{letter}({form})", rest)
            if part is None or attribute in values:
                raise InputError(
                    f"PDI name {text!r}: {rest!r} cannot be read", expected=f"_{letter} followed by {form}"
                )
            try:
                values[attribute] = read(part[1])
            except ValueError as error:
                raise InputError(f"PDI name {text!r}: {part[0]!r} is not valid ({error})") from error
            rest = rest[part.end() :]
        return cls(
            unit=found["unit"], file_class=found["file_class"], file_type=f"{found['category']}_{found['semantic']}",
            site=found["site"], creation=parse_compact(found["creation"]), extension=found["extension"] or "", **values,
        )  # fmt: skip

    def __str__(self) -> str:
        fields = "".join(
            f"_{letter}{write(value)}"
            for letter, (attribute, _, _, write) in _FIELDS.items()
            if (value := getattr(self, attribute)) is not None
        )
        return f"{self.stem}{fields}{self.extension}"

    @property
    def stem(self) -> str:
        """The fixed part of the name, up to the creation date."""
        return f"{self.unit}_{self.file_class}_{self.file_type}_{self.site}_{compact(self.creation)}"

    @property
    def metadata_name(self) -> str:
        """File name of the metadata inside: MSI becomes MTD, the baseline is left out, `.xml` is added."""
        text = str(self).removesuffix(self.extension)
        if self.baseline:
            text = text.removesuffix(f"_N{self.baseline}")
        return text.replace("_MSI_", "_MTD_", 1) + ".xml"

    @property
    def level(self) -> str:
        """Level token of an image product: "L0U", "L0", "L1A", "L1B", "L1C", "L2A"."""
        return self.file_type[4:7].rstrip("_")


_USER = re.compile(
    r"(?P<unit>S2[A-Z])_MSI(?P<level>L1C|L2A|L1B|L1A|L0_)_(?P<start>\d{8}T\d{6})_N(?P<baseline>\d{4})_R(?P<orbit>\d{3})_"
    r"(?P<item>T\d{2}[A-Z]{3}|[A-Z0-9_]{6})_(?P<discriminator>\d{8}T\d{6})(?P<extension>\.SAFE)?"
)


@dataclass(frozen=True, slots=True)
class UserProductName:
    """Name of a user product in the compact form.

    Such as `S2B_MSIL1C_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE`.
    """

    unit: str
    level: str
    datatake_start: datetime
    baseline: str
    relative_orbit: int
    tile: str
    discriminator: datetime
    extension: str = ".SAFE"

    @classmethod
    def parse(cls, text: str) -> UserProductName:
        """Read a compact user-product name."""
        example = "S2B_MSIL1C_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE"
        found = _match(_USER, text, "user product name", example)
        return cls(
            unit=found["unit"], level=found["level"], datatake_start=parse_compact(found["start"]),
            baseline=f"{found['baseline'][:2]}.{found['baseline'][2:]}", relative_orbit=int(found["orbit"]),
            tile=found["item"].removeprefix("T"), discriminator=parse_compact(found["discriminator"]),
            extension=found["extension"] or "",
        )  # fmt: skip

    def __str__(self) -> str:
        return (
            f"{self.unit}_MSI{self.level}_{compact(self.datatake_start)}_N{self.baseline.replace('.', '')}"
            f"_R{self.relative_orbit:03d}_T{self.tile}_{compact(self.discriminator)}{self.extension}"
        )


_DATATAKE = re.compile(r"G(?P<unit>S2[A-Z])_(?P<start>\d{8}T\d{6})_(?P<orbit>\d{6})_N(?P<baseline>\d{2}\.\d{2})")


@dataclass(frozen=True, slots=True)
class DatatakeName:
    """Identifier of a datatake, such as `GS2B_20250801T070619_043890_N05.11`."""

    unit: str
    start: datetime
    absolute_orbit: int
    baseline: str

    @classmethod
    def parse(cls, text: str) -> DatatakeName:
        """Read a datatake identifier."""
        found = _match(_DATATAKE, text, "datatake identifier", "GS2B_20250801T070619_043890_N05.11")
        return cls(found["unit"], parse_compact(found["start"]), int(found["orbit"]), found["baseline"])

    def __str__(self) -> str:
        return f"G{self.unit}_{compact(self.start)}_{self.absolute_orbit:06d}_N{self.baseline}"


_SESSION = re.compile(
    r"DCS_(?P<station_unit>\d{2})_(?P<session>[A-Za-z0-9_]+?)_ch(?P<channel>\d)_"
    r"(?:(?P<dsib>DSIB)\.xml|DSDB_(?P<block>\d{5})\.raw)"
)


@dataclass(frozen=True, slots=True)
class SessionFileName:
    """Name of a DSIB (`block` is None) or of a DSDB raw file of a downlink session."""

    station_unit: str
    session: str
    channel: int
    block: int | None = None

    @classmethod
    def parse(cls, text: str) -> SessionFileName:
        """Read the name of a session file."""
        found = _match(_SESSION, text, "session file", "DCS_05_S2B_20220413132241026648_ch1_DSDB_00001.raw")
        block = int(found["block"]) if found["block"] else None
        return cls(found["station_unit"], found["session"], int(found["channel"]), block)

    def __str__(self) -> str:
        tail = "DSIB.xml" if self.block is None else f"DSDB_{self.block:05d}.raw"
        return f"DCS_{self.station_unit}_{self.session}_ch{self.channel}_{tail}"
