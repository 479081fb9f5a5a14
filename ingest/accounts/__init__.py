"""The books: what became of every record of a batch, by table, and the totals of all batches."""
