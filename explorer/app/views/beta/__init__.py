"""The β lab's page and its parts."""
