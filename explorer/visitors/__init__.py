"""Many visitors on one server: who somebody is, what is theirs, how much, and what all share."""
