"""Code that functions share. Every zip contains it."""
