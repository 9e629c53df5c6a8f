"""What a name in a loss most likely stands for: a tensor, a size, a weight or a whole term."""

import re

SIZES: dict[str, str] = {
    **dict.fromkeys(("batch_size", "batchsize", "bs", "bsz", "n_batch", "nbatch"), "B"),
    **dict.fromkeys(
        ("latent_dim", "latent_dims", "latent_size", "z_dim", "zdim", "n_latent", "n_latents",
         "num_latents", "nz", "latent_dimension", "dim_z", "z_size", "code_size"), "K"),
    **dict.fromkeys(
        ("original_dim", "input_dim", "x_dim", "n_features", "num_features", "in_features",
         "data_dim", "input_size", "n_pixels", "num_pixels", "image_dim", "img_dim", "n_input",
         "seq_len", "sequence_length", "max_len", "n_genes", "input_dims"), "data"),
    **dict.fromkeys(
        ("channels", "n_channels", "num_channels", "in_channels", "n_chan", "nc", "img_channels"),
        "C"),
    **dict.fromkeys(("height", "img_height", "image_height"), "H"),
    **dict.fromkeys(("width", "img_width", "image_width"), "W"),
    **dict.fromkeys(("img_size", "image_size", "imgsize", "img_side"), "H"),
}  # fmt: skip
"""Names of sizes. data: pixels or features of one item, all together."""

TIMES = frozenset(
    "step epoch iteration iter global_step current_epoch cur_epoch num_iter it niter current_step "
    "cur_iter train_step training_step batch_idx n_train_steps epoch_num steps_done "
    "global_iter i_epoch curr_epoch current_iter trained_steps n_updates num_updates".split()
)
WEIGHTS = frozenset(
    "weight weights w wt coef coeff coefficient beta gamma alpha lambda lam lmbda lambd lmb "
    "lambda_ kappa anneal annealing factor ratio lagrange lagrangian temperature tau warmup rate "
    "capacity β γ α λ".split()
)
ADVERSARIAL = frozenset(
    "gan adv adversarial disc discriminator gen generator critic fooling wgan d_loss g_loss".split()
)
PERCEPTUAL = frozenset(
    "perceptual lpips vgg percep feature features style dfc ssim msssim ms_ssim inception".split()
)
REGULARISERS = frozenset(
    "mmd tc mi dwkl l2 decay reg regularizer regularisation regularization regulariser orth ortho "
    "commit commitment vq quantization codebook contrastive classification cls sparsity penalty "
    "smoothness gradient grad edge cycle triplet".split()
)
KL_WORDS = frozenset("kl kld kldiv dkl kls kldivergence klloss".split())
RECONSTRUCTION_WORDS = frozenset(
    "recon recons reconstruction rec reconst reconstr mse bce nll xent likelihood mae ce logpx "
    "xentropy rmse distortion".split()
)
TERM_WORDS = frozenset("loss losses err error nll mse bce mae term xent likelihood ce cost".split())
LATENTS = frozenset(
    "mu mean means loc z_mean z_mu zmu logvar log_var log_variance z_log_var z_logvar log_sigma "
    "logsigma log_std logstd sigma std stddev var variance scale log_scale logs qz_mu qz_logvar "
    "z_std z_sigma z_var z_log_sigma z z_sample code codes latent latents posterior q_mu q_logvar "
    "q_std q_mean μ σ logv log_v lv lnvar ln_var mu_z logvar_z std_z log_std_z z_logsigma "
    "z_log_std sigma_z logsigma_z log_sigma_z var_z log_var_z mean_z z_loc z_scale qz_loc "
    "qz_scale log_sigma2 qz_m qz_v qzm qzv log_sigma_sq log_sigma_squared logvars mus "
    "z_var_log z_logv logsigma2 log_s2".split()
)
IMAGES = frozenset(
    "x x_hat xhat x_recon x_rec recon_x x_reconst x_reconstructed reconstructed_x recon recons rec "
    "reconstruction reconstructions reconstructed reconst input inputs input_img image images img "
    "imgs data target targets y y_true y_pred y_hat output outputs out pred preds prediction "
    "predictions decoded batch x_tilde x_out x_in x_true original logits labels x_logit x_logits "
    "logit recon_data recon_batch recon_img recon_images x_decoded x_decoded_mean decoded_mean "
    "real sample_x xs xr gt ground_truth dec out_x x_pred x_prime x_r recon_logits px tokens ids "
    "x_bar img_recon reconstructed_img probs p_x x_mu x_target x_orig rec_x".split()
)
DATA_NAMES = frozenset(
    "x input inputs input_img image images img imgs data target targets y y_true batch x_in x_true "
    "original labels real xs gt ground_truth tokens ids x_target x_orig".split()
)
"""Of IMAGES, those that are the data and not the model's output."""
SPREADS = {
    **dict.fromkeys(
        "sigma sigma_x std obs_std noise_std sigma_y x_std dec_std decoder_std sigma_dec σ "
        "output_std recon_std recon_sigma obs_sigma noise_sigma scale_x x_sigma".split(),
        1.0,
    ),
    **dict.fromkeys(
        "sigma2 var variance sigma_sq sigma_squared obs_var noise_var x_var dec_var decoder_var "
        "sigma2_x sigma_x2 output_var recon_var obs_variance noise_variance".split(),
        2.0,
    ),
}
"""Names that a number makes a decoder's fixed σ (power 1) or σ² (power 2)."""
SPREAD_WORDS = frozenset(
    "sigma std scale logvar logsigma logstd logscale var variance stddev logs".split()
)
NOISE = frozenset("eps epsilon noise".split())


def last_part(path: str) -> str:
    """Return a dotted path's last name, in lower case."""
    return path.rsplit(".", 1)[-1].strip("_").lower()


def words_of(path: str) -> frozenset[str]:
    """Return the words that a name is made of.

    >>> sorted(words_of("self.klWeight_2"))
    ['kl', 'weight']
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", path.rsplit(".", 1)[-1])
    return frozenset(re.findall(r"[^\W\d_]+", spaced.lower()))


NETWORKS = frozenset(
    "model net network vae cvae vqvae ae autoencoder decoder decode dec generator generate gen "
    "forward reconstruct recon self g p_x".split()
)
"""Functions whose value, where a loss compares it with the data, is the picture."""


def makes_picture(function: str) -> bool:
    """Tell whether an unknown function is a decoder, or a whole model, by its name.

    >>> makes_picture("self.decoder"), makes_picture("vae"), makes_picture("lpips")
    (True, True, False)
    """
    return bool(function) and last_part(function).lower() in NETWORKS


def guess_role(path: str) -> str | None:
    """Return image, latent, weight, time, noise, mask, size:AXIS or a kind of term, or None.

    Kinds of terms: kl, reconstruction, perceptual, adversarial, regulariser.
    """
    name, words = last_part(path), words_of(path)
    if words & {"mask", "masks"}:
        return "mask"
    if name in SIZES:
        return f"size:{SIZES[name]}"
    if name in TIMES:
        return "time"
    if words & WEIGHTS or (len(words) > 1 and "scale" in words and words & KL_WORDS):
        return "weight"
    if name in NOISE:
        return "noise"
    if name in IMAGES:
        return "image"
    if name in LATENTS:
        return "latent"
    if words & PERCEPTUAL:
        return "perceptual"
    if words & ADVERSARIAL or name in ADVERSARIAL:
        return "adversarial"
    if words & KL_WORDS or name in ("latent_loss", "klloss"):
        return "kl"
    if words & RECONSTRUCTION_WORDS:
        return "reconstruction" if words & TERM_WORDS or len(words) > 1 else "image"
    if words & REGULARISERS:
        return "regulariser"
    if words & {"logvar", "mu", "logsigma", "logstd"}:
        return "latent"
    return None


def is_spread(path: str) -> bool:
    """Return whether a name is that of a standard deviation or variance, of whatever it is."""
    return bool(words_of(path) & SPREAD_WORDS) or last_part(path) in SPREADS


def is_data(path: str) -> bool:
    """Return whether a name is that of the data, not of what the model makes of them."""
    return last_part(path) in DATA_NAMES
