"""Execution of clusters of jobs: the request/result documents and the backends that run them."""
