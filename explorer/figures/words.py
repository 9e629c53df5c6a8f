"""The words that figures are labelled with, in English; a caller in another language hands its own.

`%{…}` are Plotly's, in what shows under the pointer; `{…}` are filled in by the figure.
"""

from collections.abc import Mapping

Words = Mapping[str, str]

WORDS: Words = {
    "step": "step",
    "images": "images",
    "nats_per_image": "nats per image",
    "nats_per_image_cut": "nats per image, axis cut",
    "reconstruction": "reconstruction",
    "objective": "objective",
    "held_out": "−ELBO, held out",
    "held_out_reconstruction": "reconstruction, held out",
    "kl_nats": "KL, nats",
    "kl_nats_per_image": "KL, nats per image",
    "kl_at_step": "%{y}, step %{x}: %{z:.3f} nats",
    "var_mean": "Var μ over the images",
    "mean_var": "mean σ²",
    "units": "units; nats for information",
    "dimension_by_size": "dimension {rank} by size",
    "kl_bar": "KL %{y:.3f} nats; reconstruction %{customdata:.2f}",
    "told_axes": "{y}, over {x}.",
    "told_curve": ("{name}: from {first} at {start} to {last} at {end}, between {low} and {high}."),
    "told_points": (
        "{name}: {count} points, across from {left} to {right}, up from {low} to {high}."
    ),
    "told_bars": "{name}: {count} bars from {low} to {high}, the highest at {highest}.",
    "told_heat": "{rows} rows by {columns} columns, values from {low} to {high}.",
}
