"""Where sessions, working data, job folders and documents lie while they are processed."""
