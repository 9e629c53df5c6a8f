"""The doctor's answer on one subject: since when, why, and what to do, with the evidence."""
