"""Level-0 processors: from downlinked frames to consolidated Level-0 items and back to working data."""
