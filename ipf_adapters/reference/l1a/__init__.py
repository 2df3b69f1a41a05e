"""Reference processors of L1A: decompression, radiometry, first geometry, choice of reference images."""
