"""Code lists shipped with the product; README.md says where each is from."""
