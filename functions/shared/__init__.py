"""What functions share; packaged into every zip."""
