# PostgreSQL on RDS: private, encrypted on disk and on the way, restorable to any second of the last days.

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

# Made here, so that its retention is ours.
resource "aws_cloudwatch_log_group" "postgresql" {
  name              = "/aws/rds/instance/${var.name}/postgresql"
  retention_in_days = var.log_days
}

resource "aws_db_instance" "this" {
  identifier = var.name

  engine                      = "postgres"
  engine_version              = var.engine_version
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = true
  instance_class              = var.instance_class
  parameter_group_name        = var.parameter_group_name
  multi_az                    = var.multi_az

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_max_gib

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  # RDS keeps the master user's password in Secrets Manager and changes it every week. No running task knows it:
  # the service works as the owner of its own database.
  username                    = "postgres"
  manage_master_user_password = true

  backup_retention_period   = var.backup_days
  backup_window             = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = "${var.name}-final"

  enabled_cloudwatch_logs_exports = ["postgresql"]

  depends_on = [aws_cloudwatch_log_group.postgresql]
}
