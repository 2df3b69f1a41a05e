"""Execution of one cluster of jobs inside a container: workspace, command, outputs, order of jobs."""
