"""An emulator in place of AWS."""
