# The kinds of tasks: one image, seven commands. Each gets the secrets and buckets that it needs, and no others.

locals {
  scratch  = "/data"
  owner    = "dataforge"
  database = "dataforge"

  environment = {
    DATABASE_URL         = "postgresql://${local.owner}@${module.database.host}:${module.database.port}/${local.database}?sslmode=verify-full"
    DATABASE_CA          = file(var.database_ca_file)
    DATABASE_MASTER_USER = module.database.master_user
    ALLOWED_HOSTS        = var.domain
    API_PROXIES          = "1"
    BACKUP_STORE         = "s3://${module.backups.name}/backups"
    BACKUP_STORES        = jsonencode({ for name in var.backup_stores : name => "s3://${module.backups.name}/${name}" })
    TASKS_BACKEND        = "django_tasks_db.DatabaseBackend"
    AWS_REGION           = var.region
  }

  secrets = {
    SECRET_KEY        = { arn = module.secrets.arns["secret-key"], value_from = module.secrets.arns["secret-key"] }
    DATABASE_PASSWORD = { arn = module.secrets.arns["owner-password"], value_from = module.secrets.arns["owner-password"] }
    ADMIN_PASSWORD    = { arn = module.secrets.arns["admin-password"], value_from = module.secrets.arns["admin-password"] }
    # RDS keeps user and password as JSON; ECS takes one key of it when the task starts.
    DATABASE_MASTER_PASSWORD = { arn = module.database.master_secret_arn, value_from = "${module.database.master_secret_arn}:password::" }
  }

  running = ["SECRET_KEY", "DATABASE_PASSWORD"]
  backups = [module.backups.arn]

  tasks = {
    # The image's own command: the site.
    web = { command = null, port = local.web_port, size = "web", secrets = local.running, reads = [], writes = [] }

    # Backups, checks and restores that people ask for in the admin or over HTTP.
    worker = { command = ["python", "manage.py", "db_worker"], port = null, size = "worker", secrets = local.running, reads = [], writes = local.backups }

    # The backups that are due; EventBridge starts it.
    backup = { command = ["python", "manage.py", "run_scheduled_backups"], port = null, size = "worker", secrets = local.running, reads = [], writes = local.backups }

    # What must happen to rejects by itself: orphans healed, old ones let go, bulk jobs of dead workers taken up again.
    # EventBridge starts it.
    chores = { command = ["python", "manage.py", "tend_rejects"], port = null, size = "worker", secrets = local.running, reads = [], writes = [] }

    # The dataset from S3, started by hand.
    load = { command = ["python", "manage.py", "load_olist", "s3://${module.uploads.name}/olist"], port = null, size = "load", secrets = local.running, reads = [module.uploads.arn], writes = [] }

    # The service's role and database, made or given its new password; the only task that knows the master's.
    prepare = { command = ["python", "-m", "dataforge.prepare_database"], port = null, size = "worker", secrets = concat(local.running, ["DATABASE_MASTER_PASSWORD"]), reads = [], writes = [] }

    # Any other command of manage.py, given when it is started: migrate, create_admin, restore_table ...
    manage = { command = ["python", "manage.py", "migrate"], port = null, size = "worker", secrets = concat(local.running, ["ADMIN_PASSWORD"]), reads = [], writes = local.backups }
  }
}
