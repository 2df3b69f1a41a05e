"""Physics shared by the simulated mission and the reference processors: geometry, sun, packets, codec, working data."""
