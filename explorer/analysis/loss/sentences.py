"""What is said of a loss, in English: one sentence per code, for the command line and errors.

The app has its own catalogue under the same codes.
"""

from explorer.analysis.loss.effective import LossMeaning
from explorer.analysis.loss.understood import Doubt

DOUBTS = {
    "weight_unknown": "{text} has no number in the paste: give it one.",
    "reconstruction_unknown": "The reconstruction {text} is not spelt out: say which it is.",
    "kl_unknown": "The KL {text} is not spelt out: say how it is reduced.",
    "perceptual": "{text} compares features, not pixels: it is no likelihood and has no nats.",
    "adversarial": "{text} comes from a discriminator: it is no likelihood and has no nats.",
    "regulariser": "{text} is left out: it is neither the reconstruction nor the KL.",
    "unknown_term": "{text} was not understood and is left out.",
    "second_reconstruction": "There is a second reconstruction term ({text}): two likelihoods of "
    "one image have no β together.",
    "second_kl": "There is a second KL ({text}) of another weight.",
    "several_kl": "Several KLs of one weight are added up.",
    "no_likelihood": "This distance (Huber, log-cosh, cosine …) is no likelihood known here.",
    "root_of_squares": "The root of a squared error has no fixed σ²: its β moves with the error.",
    "scale_unknown": "{text} divides the error and has no number: is it fixed, or learned?",
    "shapes_unclear": "The shapes of {text} could not be followed: check the reductions.",
    "kl_negative": "The KL has the wrong sign: this loss makes it as large as it can.",
    "kl_per_dimension": "KL({text}) is taken per dimension, so that its mean is over latents too.",
    "kl_per_image": "{text} is taken as one KL per image, summed over latents.",
    "axis_for_all": "One axis is reduced: it is taken for all {text}, as of flattened tensors.",
    "sliced": "A part {text} is taken for the whole tensor.",
    "branch": "Both ways of “if {text}” are possible: one was read.",
    "loop": "The loop over {text} was read once.",
    "summed_here": "The parts are returned apart; they are taken to be added up.",
    "maximised": "This is an ELBO to be maximised; the signs are turned round.",
    "ignored_tokens": "Ignored tokens count as none: β is that of sequences without padding.",
    "masked": "{text} is taken as ones: β is that of items of which nothing is masked.",
    "element_weights": "Weights of single pixels or classes are left out.",
    "reduction_unknown": "The reduction is not given as a word; a mean is assumed.",
    "discretised_reduction": "{text} is taken to return nats, summed over everything if a loss.",
    "names_invented": "The corrected line calls {text} by the usual names.",
    "not_python": "Not read: {text}",
}

NOTES = {
    "kl_negative": "The KL has the wrong sign.",
    "no_kl": "There is no KL: this is an autoencoder with noise.",
    "batch_dependent": "One term is summed over the batch and the other averaged: β changes with "
    "the batch size.",
    "kl_averaged_over_latents": "KL is averaged over dimensions: β changes with their number.",
    "reconstruction_averaged_over_pixels": "The reconstruction is averaged over pixels: β changes "
    "with the image size.",
    "reconstruction_averaged_over_channels": "The reconstruction is averaged over channels and "
    "summed over the image: β is larger by their number.",
    "kl_without_half": "The KL lacks its ½ and counts twice.",
    "kl_sampled": "The KL is estimated from a sample: right on average, noisier than the formula.",
    "annealed": "β grows to this value during the warm-up.",
    "cyclical": "β rises to this value in every cycle.",
    "free_bits": "Below its floor the KL costs nothing: β holds above it only.",
    "capacity": "|KL − C| holds the KL at C: this β is a stiffness, not a price.",
    "grey_cross_entropy": "On grey images a cross-entropy is no likelihood; binarise, or use the "
    "continuous Bernoulli.",
    "cross_entropy_outside_0_1": "A cross-entropy needs data in [0, 1]; these are not.",
    "wide_range": "The data do not lie in [0, 1]: squared errors grow with the square of their "
    "range.",
    "sigma_beyond_range": "σ is more than half the data's range: the model may see no more than "
    "their mean.",
    "everything_collapses": "Everything collapses at this weight.",
    "several_kl": "Several KLs of one weight are added up.",
    "perceptual": "A perceptual term has no nats.",
    "adversarial": "An adversarial term has no nats.",
    "second_reconstruction": "Two likelihoods of one image have no β together.",
    "second_kl": "Two KLs of different weight have no β together.",
}

ADVICE = {
    "no_beta": "This loss has no β in nats: {reason}",
    "is_elbo": "This is the ELBO: nothing to change.",
    "is_elbo_at": "This is the ELBO of {likelihood}: nothing to change.",
    "is_elbo_here": "At this batch size it is the ELBO{likelihood_at}; written as below it is that "
    "at any.",
    "multiply_kl": "Multiply the KL by {factor} for the ELBO{likelihood_at}. {reason}",
    "no_kl": "Add the KL: without it this is an autoencoder with noise.",
    "turn_kl": "Turn the KL's sign.",
    "answer_first": "Say first: {asks}.",
}
REASONS = {
    "scale_not_said": "A bare error does not say its scale; this one is a tenth of the data's "
    "range (or variance) until you give the error that your model reaches.",
    "kl_weighted": "The KL carries another weight than 1.",
    "plausible": "",
}


def say_doubt(doubt: Doubt) -> str:
    """Return what was not understood, as one sentence."""
    return " ".join(DOUBTS[doubt.code].format(text=doubt.text).split()).replace(" ,", ",")


def describe_meaning(meaning: LossMeaning) -> list[str]:
    """Return a loss's meaning in sentences: its β or σ², the advice, and the notes.

    >>> from explorer.analysis.loss.understood import Data, Understood
    >>> from explorer.analysis.loss.effective import effective_loss
    >>> loss = Understood(reconstruction="bernoulli", kl_weight=4.0)
    >>> describe_meaning(effective_loss(loss, Data()))[0]
    'This loss has β = 4.'
    """
    lines = []
    if meaning.beta is not None:
        lines.append(f"This loss has β = {meaning.beta:.4g}.")
    elif meaning.sigma2 is not None:
        lines.append(f"This loss is a Gaussian decoder with βσ² = {meaning.sigma2:.4g}.")
    elif meaning.scale is not None:
        lines.append(f"This loss is a Laplace decoder whose scale b has βb = {meaning.scale:.4g}.")
    advice = say_advice(meaning)
    lines.append(advice)
    lines += [NOTES[code] for code in meaning.notes if NOTES[code] not in advice]
    return list(dict.fromkeys(lines))


def say_advice(meaning: LossMeaning) -> str:
    """Return the recommendation with its reason.

    >>> from explorer.analysis.loss.understood import Data, Understood
    >>> from explorer.analysis.loss.effective import effective_loss
    >>> loss = Understood(reconstruction="bernoulli", kl_weight=64.0)
    >>> say_advice(effective_loss(loss, Data()))
    'Multiply the KL by 1/64 for the ELBO. The KL carries another weight than 1.'
    """
    advice = meaning.advice
    likelihood = ""
    if advice.sigma2 is not None:
        likelihood = f"σ² = {advice.sigma2:.4g}"
    elif advice.scale is not None:
        likelihood = f"b = {advice.scale:.4g}"
    reason = REASONS.get(advice.reason, NOTES.get(advice.reason, ""))
    return ADVICE[advice.code].format(
        factor=advice.factor_text,
        likelihood=f"a decoder with {likelihood}",
        likelihood_at=f" with {likelihood}" if likelihood else "",
        reason=reason,
        asks=", ".join(meaning.asks),
    )
