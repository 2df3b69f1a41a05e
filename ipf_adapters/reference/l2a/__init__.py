"""Reference processors of Level-2A: surface reflectance, scene classification, aerosol and water vapour."""
