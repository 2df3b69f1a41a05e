"""Everything of S2PS that imports Airflow; never imported by s2ps or ipf_adapters."""
