"""Import rasterio without the S3 client it would load with it: a job then starts half a second of CPU time earlier.

Processors read and write local files only. Call `import_rasterio()` before the first `import rasterio` of a job.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def import_rasterio() -> ModuleType:
    """Return rasterio; boto3 is hidden while it is imported for the first time, and only then."""
    modules: dict[str, Any] = sys.modules
    if "rasterio" in modules or "boto3" in modules:
        return importlib.import_module("rasterio")
    modules["boto3"] = None
    try:
        return importlib.import_module("rasterio")
    finally:
        del modules["boto3"]
