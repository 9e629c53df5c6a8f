"""The Train page and the training that it watches."""
