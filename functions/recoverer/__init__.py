"""Take a limited number of actions after an alarm (redrive, relieve, roll back), and report each; see README.md."""
