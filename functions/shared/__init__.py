"""The little that functions share; packaged into every zip."""
