"""Quality control and inventory processors: they inspect finished items and write beside them."""
