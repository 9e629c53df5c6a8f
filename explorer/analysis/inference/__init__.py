"""p(z|x) of one image: exactly, by refinement, by sampling; and log p(x) by all of them."""
