"""What the codes are worth: information, neighbours, factors, holes, traversals."""
