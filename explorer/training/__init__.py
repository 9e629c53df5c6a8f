"""Training: the loop that writes run directories, and the jobs that run it elsewhere."""
