"""How many Kubernetes nodes a strategy needs for an expected load within its time limits."""
