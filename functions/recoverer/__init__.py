"""Bounded first aid when an alarm goes off: redrive, relieve, roll back; every step reported. See README.md."""
