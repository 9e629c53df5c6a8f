"""Every door by which something of a stranger comes in, tried with generated input."""
