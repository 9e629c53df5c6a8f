"""Questions that people ask of a trained VAE, each a verdict with its evidence."""
