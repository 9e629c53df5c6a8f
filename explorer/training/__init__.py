"""From a config and images to a run directory, and from a sick config to one that may heal."""
