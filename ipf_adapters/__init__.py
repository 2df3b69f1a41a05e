"""What runs inside a processor's container."""
