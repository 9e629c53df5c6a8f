"""What is my β? A pasted loss, read from its syntax; see `read_loss` and `effective_loss`.

`source` parses, `reader` and `statements` follow names through it, `algebra` brings every spelling
to one form, `patterns` recognise likelihoods and KLs in it, `summary` puts them into the fields of
`understood.Understood`; `effective` says what they mean in nats, `lines` writes the loss anew.
Nothing of a paste is ever executed.
"""
