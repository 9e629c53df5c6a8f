"""Small worlds with known answers, which the lessons are built on."""
