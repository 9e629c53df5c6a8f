"""Torch callables: recorded by torch.export in the person's own process, drawn with our layers."""
