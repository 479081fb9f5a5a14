"""Something done to many rejects: a job, tried out first where a person wants that, done at once or by the worker."""
