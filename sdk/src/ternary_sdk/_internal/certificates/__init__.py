"""What is certified of a model: the document and its figures."""
