"""Commands that show how an environment is doing: logs, live figures, a page with charts, and a simulation of load."""
