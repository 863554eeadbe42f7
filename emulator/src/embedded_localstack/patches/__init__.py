"""Patches of LocalStack 4.14: one module for each behaviour that differs from AWS, or that writes outside its folder.

Each module is named after the service that it patches.
"""
