# One kind of container: what it runs, its log, and a role of its own. Its root file system is read-only; what it
# writes (spooled rejects, temporary files) goes to one volume that ends with the task.

data "aws_region" "this" {}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([merge(
    {
      name                   = "app"
      image                  = var.image
      essential              = true
      readonlyRootFilesystem = true
      # A batch in flight is finished before the end.
      stopTimeout = 110
      environment = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
      secrets     = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name].value_from }]
      mountPoints = [{ sourceVolume = "scratch", containerPath = var.scratch, readOnly = false }]

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = data.aws_region.this.name
          awslogs-stream-prefix = "app"
        }
      }
    },
    var.command == null ? {} : { command = var.command },
    var.port == null ? {} : { portMappings = [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }] },
  )])
}
