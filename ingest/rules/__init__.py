"""WHAT a record must be: model fields with their rules, and the contract compiled from them."""
