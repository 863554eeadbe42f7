"""A summary of each day by mail and notice, kept too; see README.md."""
