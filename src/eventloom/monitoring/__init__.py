"""Commands that show the state of an environment: logs, live figures, a page with charts, and a simulation of load."""
