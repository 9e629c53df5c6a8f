"""ONNX files: read by hand within limits, run in torch, drawn with our layers where that can be."""
