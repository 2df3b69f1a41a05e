"""What a job order means to a processor: its part of the dimensions, its inputs and where to write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.joblog import JobLog
from s2ps.formats.job_order import JobOrder, JobOrderInput
from s2ps.model.bands import BANDS, QL_BANDS, Band
from s2ps.model.mission import DETECTORS

_SAME_TYPE = (
    ("IERS", "AUX_UT1UTC"),
    ("ECMWF", "AUX_ECMWFD"),
    ("CAMS", "AUX_CAMSFO"),
    ("GIP_R2EQOB", "GIP_R2EOB2"),
)
_ALIASES = {name: other for pair in _SAME_TYPE for name, other in (pair, pair[::-1])}
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class JobContext:
    """Give a processor its parameters, inputs and outputs; paths are as the job order names them."""

    order: JobOrder
    log: JobLog

    @classmethod
    def of(cls, order: JobOrder) -> JobContext:
        """Make the context of a job order with the log level that it asks for."""
        return cls(order, JobLog(order.task, order.stdout_level))

    def parameter(self, name: str, default: str | None = None) -> str:
        """Return a processing parameter; raises InvalidInput when it is absent and has no default."""
        value = self.order.parameters.get(name, default)
        if value is None:
            raise InvalidInput(f"job order of {self.order.task}: parameter {name} is missing: add it to the catalogue")
        return value

    def flag(self, name: str) -> bool:
        """Tell whether a parameter is "true"; an absent one is false."""
        return self.order.parameters.get(name, "false").strip().lower() == "true"

    @cached_property
    def detectors(self) -> tuple[int, ...]:
        """Detectors of this part (1..12); all when the job order names none."""
        text = self._first_parameter("PARALLEL_ATF_DETECTOR_IDENT", "PARALLEL_DETECTOR_IDENT")
        values = self._numbers("detector", text) or tuple(DETECTORS)
        if not set(values) <= set(DETECTORS):
            raise InvalidInput(f"job order of {self.order.task}: detectors {text!r}: expected numbers 01 to 12")
        return values

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Bands of this part in spectral order; all 13 when the job order names none."""
        return self._bands("PARALLEL_BAND_IDENT", BANDS)

    @cached_property
    def ql_bands(self) -> tuple[Band, ...]:
        """Quick-look bands of this part; all five when the job order names none."""
        return self._bands("PARALLEL_BAND_QL_IDENT", QL_BANDS)

    @cached_property
    def granules(self) -> range | None:
        """Scenes of this part, 1-based with both ends included; None means all."""
        for prefix in ("PARALLEL_ATF", "PARALLEL_GRANULE"):
            middle = "_GRANULE" if prefix == "PARALLEL_ATF" else ""
            begin = self.order.parameters.get(f"{prefix}_BEGIN{middle}", "").strip()
            end = self.order.parameters.get(f"{prefix}_END{middle}", "").strip()
            if begin and end:
                first, last = self._numbers("granule", begin)[0], self._numbers("granule", end)[0]
                if not 1 <= first <= last:
                    raise InvalidInput(f"job order of {self.order.task}: granules {begin} to {end} are no range")
                return range(first, last + 1)
        return None

    @cached_property
    def tile_indices(self) -> tuple[int, ...]:
        """Places in the tile list (1-based) of this part; empty means all tiles."""
        return self._numbers("tile", self.order.parameters.get("PARALLEL_TILE_IDENT", ""))

    @property
    def creation(self) -> datetime:
        """Creation date of everything this job writes (parameter CREATION_DATE), UTC."""
        text = self.order.parameters.get("CREATION_DATE", "").strip()
        if not text:
            return _NO_DATE
        try:
            value = datetime.fromisoformat(text)
        except ValueError as error:
            raise InvalidInput(f"job order of {self.order.task}: CREATION_DATE {text!r} is no date: {error}") from error
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    @property
    def baseline(self) -> str:
        """Processing baseline, as "05.00"."""
        return self.order.parameters.get("PROCESSING_BASELINE", "").strip() or "05.00"

    @property
    def centre(self) -> str:
        """Processing centre, four characters."""
        return self.order.parameters.get("PROCESSING_CENTER", "").strip() or "S2PS"

    def has_input(self, file_type: str) -> bool:
        """Tell whether the job order names at least one existing path of this type."""
        item = self._find(file_type)
        return item is not None and any(path.exists() for path in item.paths)

    def input_paths(self, file_type: str) -> tuple[Path, ...]:
        """Return the existing files and directories of an input as the job order names them; raises MissingInput."""
        return self._paths(file_type)

    def input_dir(self, file_type: str) -> Path:
        """Return the one directory of an input; raises MissingInput or InvalidInput."""
        paths = self._paths(file_type)
        if len(paths) != 1 or not paths[0].is_dir():
            names = ", ".join(map(str, paths))
            raise InvalidInput(f"input {file_type} of {self.order.task}: expected one directory, got {names}")
        return paths[0]

    def input_files(self, file_type: str) -> list[Path]:
        """Return the files of an input, sorted by name; a directory stands for the files directly in it."""
        files: list[Path] = []
        for path in self._paths(file_type):
            files += [item for item in path.iterdir() if item.is_file()] if path.is_dir() else [path]
        if not files:
            raise MissingInput(f"input {file_type} of {self.order.task}: its directory is empty: stage the file again")
        return sorted(files, key=lambda item: item.name)

    def input_file(self, file_type: str) -> Path:
        """Return the one file of an input; raises InvalidInput when there are several."""
        files = self.input_files(file_type)
        if len(files) != 1:
            raise InvalidInput(f"input {file_type} of {self.order.task}: expected one file, got {len(files)}")
        return files[0]

    def output_dir(self, file_type: str) -> Path:
        """Return the directory of an output, made if needed."""
        path = self._output(file_type)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def output_file(self, file_type: str) -> Path:
        """Return the path of a file output; its folder is made if needed."""
        path = self._output(file_type)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def has_output(self, file_type: str) -> bool:
        """Tell whether the job order asks for an output of this type."""
        return self.order.output(file_type) is not None

    def _output(self, file_type: str) -> Path:
        item = self.order.output(file_type)
        if item is None:
            raise InvalidInput(
                f"job order of {self.order.task}: output {file_type} is not listed: add it to the catalogue"
            )
        return item.path

    def _find(self, file_type: str) -> JobOrderInput | None:
        return self.order.input(file_type) or self.order.input(_ALIASES.get(file_type, file_type))

    def _paths(self, file_type: str) -> tuple[Path, ...]:
        item = self._find(file_type)
        if item is None or not item.paths:
            raise MissingInput(
                f"job order of {self.order.task}: input {file_type} is not listed: add it to the catalogue"
            )
        for path in item.paths:
            if not path.exists():
                raise MissingInput(f"input {file_type} of {self.order.task}: {path} does not exist: stage it again")
        return item.paths

    def _first_parameter(self, *names: str) -> str:
        found = (self.order.parameters.get(name, "").strip() for name in names)
        return next((text for text in found if text), "")

    def _bands(self, name: str, every: Iterable[Band]) -> tuple[Band, ...]:
        text = self.order.parameters.get(name, "").strip()
        if not text:
            return tuple(every)
        known = {band.ident: band for band in BANDS}
        unknown = [item for item in text.split("-") if item not in known]
        if unknown:
            raise InvalidInput(f"job order of {self.order.task}: {name} {text!r}: {unknown[0]!r} is not B00 to B12")
        return tuple(known[item] for item in text.split("-"))

    def _numbers(self, what: str, text: str) -> tuple[int, ...]:
        parts = [part for part in text.split("-") if part]
        if not all(part.isdecimal() for part in parts):
            raise InvalidInput(f"job order of {self.order.task}: {what} part {text!r} is not like 01-02-03")
        return tuple(int(part) for part in parts)
