"""Container images built without a registry: from Debian packages, pinned requirements and the project's wheel."""
