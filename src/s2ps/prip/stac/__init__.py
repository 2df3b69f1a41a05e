"""Published products as items of a STAC API."""
