"""What makes and checks the chapters."""
