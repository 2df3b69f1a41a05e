"""OLQC: inspect finished items against the check lists of GIP_OLQCPA.

Writes `<item>/QI_DATA/<item>_<ASPECT>_report.xml` to OLQC_REPORT. A failed check is a result, told in the report and as
a warning in the log; publication refuses the item. The job itself fails only when it cannot inspect.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.quality.checks import CHECKS, inspect
from ipf_adapters.reference.quality.item import TRUE_COLOUR, Item, items_of
from ipf_adapters.reference.quality.report import report_document, report_name
from s2ps.formats.gipp import CheckList, QualityControl, read_gipp

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Inspect the items of this job."""
    parameters = ctx.input_file("GIP_OLQCPA")
    control = read_gipp(parameters, QualityControl)
    _check_known(control)
    failed = 0
    items = [item for item in items_of(ctx, ("PDI_SAFE",)) if item.kind != TRUE_COLOUR]
    for item in items:
        failed += _inspect(item, control, ctx)
    if not items:
        (ctx.output_dir("OLQC_REPORT") / f"none_{ctx.parameter('PARALLEL_PRODUCT_REMAINDER', '0')}.txt").write_text(
            "no item in this part\n"
        )
    ctx.log.info(f"{len(items)} items inspected, {failed} reports failed")


def _check_known(control: QualityControl) -> None:
    unknown = {check for listed in control.lists for check in listed.checks} - set(CHECKS)
    if unknown:
        raise InvalidInput(
            f"GIP_OLQCPA asks for {', '.join(sorted(unknown))}: expected some of {', '.join(CHECKS)}: use another file"
        )


def _inspect(item: Item, control: QualityControl, ctx: JobContext) -> int:
    """Write the reports of one item and return how many failed."""
    lists = [listed for listed in control.lists if listed.product == item.product]
    if not lists:
        raise InvalidInput(f"GIP_OLQCPA has no check list for {item.product} ({item.name}): use a newer parameter file")
    folder = ctx.output_dir("OLQC_REPORT") / item.path.name / "QI_DATA"
    folder.mkdir(parents=True, exist_ok=True)
    return sum(
        not _report(item, listed, control.degraded_limit, folder / report_name(item, listed.report), ctx)
        for listed in lists
    )


def _report(item: Item, listed: CheckList, limit: float, path: Path, ctx: JobContext) -> bool:
    findings = {check: inspect(item, check, limit) for check in listed.checks}
    parameters = ctx.input_file("GIP_OLQCPA")
    document = report_document(item, listed.report, findings, parameters, ctx.order.version, ctx.creation)
    path.write_bytes(document)
    for name, finding in findings.items():
        if not finding.passed:
            ctx.log.warning(f"{item.name}: {listed.report}: {name} failed: {finding.message}")
    return all(finding.passed for finding in findings.values())
