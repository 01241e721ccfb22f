"""From embeddings to scores, error rates and the words of an answer."""
