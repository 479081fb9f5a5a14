"""Which backups there are, which one to take, which may go, who may see them."""
