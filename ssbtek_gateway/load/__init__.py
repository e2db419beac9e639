"""Questions at a rate that does not wait for the answers, and what became of them."""
