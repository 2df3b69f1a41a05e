"""What exists: sessions, datatakes, products, runs, and auxiliary files with the rules that choose among them."""
