"""Everything the app claims about a model, as functions from a model and images to arrays.

Nothing here draws, caches or knows of Streamlit. Units: nats per image, summed over pixels and
latent dimensions. Random state is an argument (`seed`): the same seed gives the same number.
Shapes: N images, B a batch, C channels, H × W pixels, D = C·H·W, K latents, S samples.

This package imports nothing by itself, so that `import explorer` stays light:
import the module that you need, for example `from explorer.analysis.collapse import diagnose`.
"""
