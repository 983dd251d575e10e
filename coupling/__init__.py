"""What joins atoms and elements: regions, masks, transfer matrices, schemes, the composite problem."""
