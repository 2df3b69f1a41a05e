"""Words of the Sentinel-2 ground segment as types: bands, dimensions, missions, names, tiles, errors."""
