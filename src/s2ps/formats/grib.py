"""The library that reads and writes GRIB. Import it where it is used: it takes 0.3 CPU s to load.

It brings symbols of a map projection library of its own; a process that loads pyproj after it ends with a crash.
"""

import pyproj  # noqa: F401, I001 - before eccodes, see above
import eccodes

__all__ = ["eccodes"]
