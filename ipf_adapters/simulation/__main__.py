"""Command `python -m ipf_adapters.simulation`; see `ipf_adapters.simulation.command`."""

from __future__ import annotations

import os
import sys


def start() -> int:
    """Run the command with one thread for small matrix products, which many threads slow down."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from ipf_adapters.simulation.command import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
