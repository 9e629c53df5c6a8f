"""What the pages are made of: sections, charts, tables, pictures, films, choices, job buttons."""
