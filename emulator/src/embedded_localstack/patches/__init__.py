"""Patches of LocalStack 4.14. Each module corrects one behaviour that differs from AWS or writes outside the data
folder.

Each module is named after the service that it patches.
"""
