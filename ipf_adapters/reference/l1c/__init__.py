"""Reference processors of Level-1C: from calibrated strips to tiles of top-of-atmosphere reflectance."""
