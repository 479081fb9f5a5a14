"""What is written for readers, whose commands are carried out."""
