"""Build the packages, plan and apply an environment."""
