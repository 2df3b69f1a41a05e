"""Graphs of processors and of jobs; edges come from data, an output that feeds an input."""
