"""From trained weights to a signed package: ONNX graphs, their certificate, card and bill of materials."""
