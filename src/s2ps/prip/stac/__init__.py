"""Published products as items of a STAC API."""

import warnings

warnings.filterwarnings("ignore", "ORJSONResponse is deprecated")
"""stac-fastapi answers with it where orjson is installed; whoever runs the service can do nothing about it."""
