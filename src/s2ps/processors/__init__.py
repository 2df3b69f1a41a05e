"""The catalogue of processors: what each one needs, makes and may be parallel over, as declarations."""
