"""S2PS: Sentinel-2 Production Service."""
