"""Reference processors of L1B: comparison with the reference image, refined geometry, tile list."""
