"""The ELBO page and its sections."""
