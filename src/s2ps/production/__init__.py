"""One datatake from plan to product: what the command line and the Airflow tasks call."""

from s2ps.production.runs import ClusterRef, RunKey
from s2ps.production.service import Production

__all__ = ["ClusterRef", "Production", "RunKey"]
