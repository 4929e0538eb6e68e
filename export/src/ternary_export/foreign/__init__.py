"""Bringing a model that somebody else trained: reading its ONNX, writing it in our subset, comparing both."""
