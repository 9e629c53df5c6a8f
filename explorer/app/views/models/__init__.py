"""The Models page and its sections."""
