"""Simulated stations: pick-up points that publish a session as the interface documents say, and misbehave on demand."""
