/** Whether a latent says anything of its image: the threshold of explorer/analysis/collapse/timeline.py. */

export const DEAD_NATS = 0.01;

/** @param {number} kl of one latent, in nats, its mean over images */
export const isAsleep = (kl) => kl < DEAD_NATS;

/**
 * Whether every latent sleeps: all images then lie on one point, and none lies nearer than another.
 * @param {ArrayLike<number> | null} kl null where none is known
 */
export const isCollapsed = (kl) => kl !== null && kl.length > 0 && Array.from(kl).every(isAsleep);
