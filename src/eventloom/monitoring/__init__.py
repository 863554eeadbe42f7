"""What operators look at: logs, live figures, a page with charts, and a model of the pipeline under load."""
