"""JSON with one form, and typed reading of what others wrote."""
