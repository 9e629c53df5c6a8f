"""Foreign models: networks read as data, understood by a probe, behind the face of our VAE.

`layers` is a network as a list of layers, `onnx` and `trace` are the two ways in from a person's
networks, `weights` the third. `opening` takes what is handed over, `probe` finds how it is meant,
`model` is what analyses see, `block` what run.json keeps. Nothing of a file is ever executed.
"""
