"""What the pages are made of: components, charts, tables, pictures, switches."""
