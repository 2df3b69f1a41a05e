"""One datatake from plan to product: what the command line and the Airflow tasks call."""
