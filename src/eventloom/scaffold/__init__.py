"""Write a new function from templates."""
