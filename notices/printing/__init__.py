"""What the print provider tells of the letters it was handed, and post that comes back."""
