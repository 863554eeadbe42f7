"""Send a summary of each day by mail and SNS, and store it; see README.md."""
