# How PostgreSQL is set: it takes nothing but TLS, and logs what takes long.

locals {
  major = split(".", var.engine_version)[0]
}

resource "aws_db_parameter_group" "this" {
  # Named for its family, so that the next major version's can be made beside it.
  name   = "${var.name}-postgres${local.major}"
  family = "postgres${local.major}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "2000"
  }

  lifecycle {
    create_before_destroy = true
  }
}
