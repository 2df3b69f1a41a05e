"""For pytest -p: a test that is skipped because the test cluster or its images are missing has failed."""

from __future__ import annotations

import pytest

MISSING = ("test cluster", "make images")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    report = yield
    if report.skipped and any(text in str(report.longrepr) for text in MISSING):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report
