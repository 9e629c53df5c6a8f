"""Work in processes of its own, which the server starts, watches and outlives."""
