"""The consultation as words, drawings and a page to send; the language is an argument."""
