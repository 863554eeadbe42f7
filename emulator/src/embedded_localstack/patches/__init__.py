"""Patches of LocalStack 4.14. Each module corrects behaviour that differs from AWS or writes outside its folder.

Each module is named after the service that it patches.
"""
