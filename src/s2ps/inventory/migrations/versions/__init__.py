"""One module per revision; its parent was the head when it was added."""
