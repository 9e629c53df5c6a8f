"""The pages: a file each, or a folder where a page has several sections."""
