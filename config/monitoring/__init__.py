"""What machines ask of the product: is it alive, is it ready, how does it do."""
