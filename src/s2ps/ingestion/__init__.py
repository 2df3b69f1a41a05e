"""From stations to sessions on disk: listing, download, completeness, registration."""
