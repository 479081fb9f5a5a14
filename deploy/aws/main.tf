# Read downwards: the network, what keeps data, the kinds of tasks, what runs for ever or by the clock, who is told.

data "aws_caller_identity" "this" {}

locals {
  web_port = 8000
}

module "network" {
  source        = "./modules/network"
  name          = var.name
  cidr          = var.network_cidr
  allowed_cidrs = var.allowed_cidrs
  multi_az      = var.multi_az
  web_port      = local.web_port
}

module "parameters" {
  source         = "./modules/parameters"
  name           = var.name
  engine_version = var.database_version
}

module "database" {
  source               = "./modules/database"
  name                 = var.name
  engine_version       = var.database_version
  parameter_group_name = one(module.parameters[*].name)
  instance_class       = var.database_class
  storage_gib          = var.database_storage_gib
  storage_max_gib      = var.database_storage_max_gib
  multi_az             = var.multi_az
  backup_days          = var.database_backup_days
  protected            = var.protected
  subnet_ids           = module.network.private_subnet_ids
  security_group_id    = module.network.security_group_ids["database"]
  log_days             = var.log_days
}

module "backups" {
  source             = "./modules/bucket"
  name               = "${var.name}-backups-${data.aws_caller_identity.this.account_id}"
  protected          = var.protected
  old_versions_days  = var.old_versions_days
  cheaper_after_days = 30
}

module "uploads" {
  source            = "./modules/bucket"
  name              = "${var.name}-uploads-${data.aws_caller_identity.this.account_id}"
  protected         = var.protected
  old_versions_days = var.old_versions_days
}

module "registry" {
  source    = "./modules/registry"
  name      = var.name
  protected = var.protected
}

module "secrets" {
  source    = "./modules/secrets"
  name      = var.name
  protected = var.protected
  versions = {
    secret-key     = var.secret_key_version
    owner-password = var.password_version
    admin-password = var.password_version
  }
}

module "edge" {
  source            = "./modules/edge"
  name              = var.name
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.public_subnet_ids
  security_group_id = module.network.security_group_ids["edge"]
  certificate_arn   = var.certificate_arn
  web_port          = local.web_port
  protected         = var.protected
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "disabled" # it is paid by the figure; the alarms need none of them
  }
}

module "task" {
  source       = "./modules/task"
  for_each     = local.tasks
  name         = "${var.name}-${each.key}"
  image        = "${module.registry.url}:${var.image_tag}"
  registry_arn = module.registry.arn
  command      = each.value.command
  port         = each.value.port
  size         = var.sizes[each.value.size]
  scratch      = local.scratch
  environment  = local.environment
  secrets      = { for name in each.value.secrets : name => local.secrets[name] }
  reads        = each.value.reads
  writes       = each.value.writes
  log_days     = var.log_days
}

module "web" {
  source              = "./modules/service"
  name                = "${var.name}-web"
  cluster_arn         = aws_ecs_cluster.this.arn
  task_definition_arn = module.task["web"].arn
  tasks               = var.web_tasks.min
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.network.security_group_ids["tasks"]
  target              = { group_arn = module.edge.target_group_arn, port = local.web_port }
}

module "worker" {
  source              = "./modules/service"
  name                = "${var.name}-worker"
  cluster_arn         = aws_ecs_cluster.this.arn
  task_definition_arn = module.task["worker"].arn
  tasks               = 1
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.network.security_group_ids["tasks"]
}

module "web_scaling" {
  source  = "./modules/autoscaling"
  cluster = aws_ecs_cluster.this.name
  service = module.web.name
  tasks   = var.web_tasks
}

module "schedule" {
  source            = "./modules/schedule"
  name              = "${var.name}-backups"
  expression        = var.schedule
  cluster_arn       = aws_ecs_cluster.this.arn
  task              = module.task["backup"]
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.security_group_ids["tasks"]
}

# What is due stands in the database (every ten minutes at most), so it is looked at twice as often.
module "chores" {
  source            = "./modules/schedule"
  name              = "${var.name}-chores"
  expression        = "rate(5 minutes)"
  cluster_arn       = aws_ecs_cluster.this.arn
  task              = module.task["chores"]
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.security_group_ids["tasks"]
}

module "observability" {
  source           = "./modules/observability"
  name             = var.name
  email            = var.alarm_email
  cluster_arn      = aws_ecs_cluster.this.arn
  log_groups       = { for kind, task in module.task : kind => task.log_group }
  edge             = module.edge.metric_dimensions
  database         = { identifier = module.database.identifier, class = var.database_class, storage_gib = var.database_storage_gib }
  backup_age_hours = var.backup_age_hours
  reject_percent   = var.reject_percent
}
