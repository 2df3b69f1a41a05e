"""The `s2ps` command."""
