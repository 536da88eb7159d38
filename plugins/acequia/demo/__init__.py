"""The demonstration: partners' servers, a real Airflow, deliveries of a week, and a table of what became of them."""
