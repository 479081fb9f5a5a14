"""A secret key for settings of production, which refuse a short one."""

SECRET_KEY = "of a test, and as long as the settings of production want one to be"
