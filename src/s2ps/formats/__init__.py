"""Documents of the ground segment: one module per format, each with its reader and writer."""
