"""The ELBO of a model: its terms as training minimises them, and on a set of images."""
