"""Taking auxiliary files in: packages opened, names and contents checked, each put where planning finds it.

Source: handling of auxiliary products on staging: aerosol packages are unfolded as they are, pieces of the weather
forecast are joined, all other data blocks get the extension their processor expects.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lxml import etree

from s2ps.formats.eof_header import refuse_document_type, secure_parser
from s2ps.inventory.auxiliary_files import AuxiliaryFiles, AuxiliaryRecord, check_content, checksum, describe
from s2ps.inventory.auxiliary_names import BAND_KEYS, described
from s2ps.inventory.auxiliary_types import AuxiliaryType, auxiliary_types
from s2ps.inventory.meteorology import looks_like_grib
from s2ps.inventory.unpacking import Limits, concatenate, is_package, unpack
from s2ps.model.errors import InputError, S2psError

DATA, HEADER = ".DBL", ".HDR"
PACKAGES = (".TGZ", ".TAR", ".TAR.GZ", ".ZIP")
PLAIN = (".XML", ".TXT", ".EOF", ".ZIP", "")
_WORK = ".intake-"


@dataclass(slots=True)
class Taken:
    """What came of an intake."""

    added: list[AuxiliaryRecord] = field(default_factory=list)
    present: list[AuxiliaryRecord] = field(default_factory=list)
    """Files that were there already with the same content."""
    refused: list[tuple[str, S2psError]] = field(default_factory=list)
    """Name and reason."""


class Intake:
    """Takes auxiliary files into the folder of an installation and into its inventory."""

    def __init__(self, files: AuxiliaryFiles, folder: Path, limits: Limits | None = None) -> None:
        self._files = files
        self._folder = folder
        self._limits = limits or Limits()

    def take(self, source: Path) -> Taken:
        """Take a file, a pair of .DBL and .HDR, a package or a folder of such; the source stays as it is.

        One that cannot be accepted does not keep the others from being taken; the result tells which and why.
        Raises InputError when there is nothing to take.
        """
        taken = Taken()
        self._folder.mkdir(parents=True, exist_ok=True)
        found = list(_documents(source)) if source.is_dir() else [source]
        if not found or not source.exists():
            raise InputError(
                f"{source} holds no auxiliary file",
                expected="files named as S2B_OPER_GIP_DATATI_..., or packages of them",
            )
        for path in found:
            self._try(path, taken, "")
        return taken

    def _try(self, path: Path, taken: Taken, package: str) -> None:
        try:
            if not package and _is_package_name(path):
                self._package(path, taken)
                return
            record, new = self._document(path, package)
            (taken.added if new else taken.present).append(record)
        except S2psError as error:
            taken.refused.append((path.name, error))

    def _package(self, path: Path, taken: Taken) -> None:
        if not is_package(path):
            raise InputError(f"package {path.name} is no tar or zip archive", next_step="fetch it again")
        with self._work() as work:
            unpack(path, work, self._limits)
            inside = list(_documents(work))
            if not inside:
                raise InputError(
                    f"package {path.name} holds no auxiliary file", expected="a .DBL with its .HDR, an .EOF or .xml"
                )
            for document in inside:
                self._try(document, taken, path.name)

    def _document(self, path: Path, package: str) -> tuple[AuxiliaryRecord, bool]:
        """Check and place one file; tell whether it is new."""
        stem, kind = _identified(path)
        with self._work() as work:
            target = work / f"{stem}{kind.extension}"
            if path.suffix.upper() == DATA:
                _check_header(path, stem)
                self._converted(path, kind, work, target)
            else:
                shutil.copyfile(path, target)
            _check_document(target, stem, kind)
            check_content(target, stem[9:19])
            return self._place(target, package)

    def _converted(self, path: Path, kind: AuxiliaryType, work: Path, target: Path) -> None:
        """Make of a data block what processors read."""
        folded = (kind.unfolded or kind.parts) and not looks_like_grib(path)
        if not folded:
            shutil.copyfile(path, target)
            return
        if not is_package(path):
            raise InputError(f"{path.name} is neither GRIB nor a tar archive", next_step="fetch it again")
        if kind.unfolded:
            unpack(path, target, self._limits)
            return
        pieces = sorted(item for item in unpack(path, work / "pieces", self._limits) if item.match(kind.parts))
        if not pieces:
            raise InputError(f"{path.name} holds no files {kind.parts}", next_step="fetch it again")
        concatenate(pieces, target)

    def _place(self, made: Path, package: str) -> tuple[AuxiliaryRecord, bool]:
        """Bring a finished file to the folder by one rename, unless it is there."""
        final = self._folder / made.name
        if final.exists():
            if checksum(final) != checksum(made):
                raise InputError(
                    f"auxiliary file {made.name} is there already with another content",
                    expected="a new creation date for a new content",
                    next_step=f"compare it with {final}; remove that first if it is the wrong one",
                )
            return self._kept(final, package), False
        made.rename(final)
        return self._kept(final, package), True

    def _kept(self, final: Path, package: str) -> AuxiliaryRecord:
        file = described(final)
        if file is None:
            raise InputError(f"the name of auxiliary file {final.name} cannot be read")
        known = {record.name: record for record in self._files.all([file.type])}.get(final.name)
        record = describe(file, package)
        if known is not None and known.state == "withdrawn":
            record = replace(record, state=known.state, reason=known.reason)
        return self._files.add(record)

    def _work(self) -> _Work:
        return _Work(self._folder)


class _Work:
    """A folder beside the auxiliary files that goes at the end; never looked into by others."""

    def __init__(self, folder: Path) -> None:
        self._place = folder

    def __enter__(self) -> Path:
        self._made = Path(tempfile.mkdtemp(prefix=_WORK, dir=self._place))
        return self._made

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._made)


def _documents(folder: Path) -> Iterator[Path]:
    """Yield auxiliary files and packages below a folder; a header comes with its data block."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(_WORK) for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path.suffix.upper() != HEADER and _named(path):
            yield path


def _named(path: Path) -> bool:
    return path.name.startswith("S2") and ("_GIP_" in path.name or "_AUX_" in path.name)


def _is_package_name(path: Path) -> bool:
    name = path.name.upper()
    if name.endswith(".ZIP"):
        kind = auxiliary_types().get(path.name[9:19])
        return kind is None or kind.extension != ".zip"
    return name.endswith(PACKAGES)


def _identified(path: Path) -> tuple[str, AuxiliaryType]:
    """Return the name without extension, and the type; raise InputError for a name that does not fit."""
    known = auxiliary_types()
    stem = path.name.removesuffix(path.suffix) if path.suffix.upper() in (*PLAIN, DATA) else path.name
    file = described(path.with_name(stem))
    if file is None or file.type not in known:
        what = "its name cannot be read" if file is None else f"type {file.type} is not known"
        raise InputError(
            f"auxiliary file {path.name} is refused: {what}",
            expected="a type of the 48 the processors use, and a name with validity, as "
            "S2B_OPER_GIP_DATATI_MPC__20200101T000000_V20200101T000000_21000101T000000_B00.xml",
            next_step="correct the name, or leave the file out",
        )
    if known[file.type].band_dependent and file.band is None:
        raise InputError(
            f"auxiliary file {path.name} is refused: it names no band, {file.type} has one file for each",
            expected=f"_B and one of {', '.join(BAND_KEYS)}",
        )
    return stem, known[file.type]


def _check_header(path: Path, stem: str) -> None:
    """Check the header beside a data block; raises InputError."""
    header = next((found for end in (HEADER, HEADER.lower()) if (found := path.with_name(stem + end)).is_file()), None)
    if header is None:
        raise InputError(f"{path.name} comes without its header", expected=f"{stem}{HEADER} beside it")
    named = _file_name(header)
    if named != stem:
        raise InputError(f"header {header.name} is of {named or 'no file'}", expected=f"File_Name {stem}")


def _check_document(path: Path, stem: str, kind: AuxiliaryType) -> None:
    """Check that an XML document is one, without entities, and is the file its name says."""
    if kind.extension == ".xml" and path.is_file():
        named = _file_name(path)
        if named not in (None, stem):
            raise InputError(f"auxiliary file {path.name} says it is {named}", expected=f"File_Name {stem}")


def _file_name(path: Path) -> str | None:
    """Return File_Name of an Earth Explorer header; None when the document has none."""
    try:
        root = etree.fromstring(path.read_bytes(), secure_parser())
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path.name} is not XML: {error}", next_step="fetch it again") from error
    refuse_document_type(root, path.name)
    element = next(root.iter("{*}File_Name"), None)
    return None if element is None else (element.text or "").strip()
