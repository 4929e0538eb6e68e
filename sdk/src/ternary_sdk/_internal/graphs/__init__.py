"""Understanding an ONNX graph before it runs."""
