"""Reference processors, one function each, run as `python -m ipf_adapters.reference NAME JobOrder.xml`."""
