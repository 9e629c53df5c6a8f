"""Which latents are in use, which are not, since when, and why."""
