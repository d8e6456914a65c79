"""Networks that judge a picture together with its condition."""
