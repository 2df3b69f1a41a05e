"""From product data items to products: the quality gate, SAFE user products and atomic publication."""
