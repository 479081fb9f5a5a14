"""What more than one room's tests need."""
