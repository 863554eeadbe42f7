"""Tests of the project. Helpers are imported by their full name, such as tests.integration.support."""
