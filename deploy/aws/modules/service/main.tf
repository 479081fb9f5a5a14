# Tasks that run for ever: so many of one kind, replaced one by one by a new version, back to the old one if it fails.

resource "aws_ecs_service" "this" {
  name                   = var.name
  cluster                = var.cluster_arn
  task_definition        = var.task_definition_arn
  launch_type            = "FARGATE"
  desired_count          = var.tasks
  enable_execute_command = false
  propagate_tags         = "SERVICE"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = var.target == null ? null : 60

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.target == null ? [] : [var.target]

    content {
      target_group_arn = load_balancer.value.group_arn
      container_name   = "app"
      container_port   = load_balancer.value.port
    }
  }

  # The load decides (module autoscaling).
  lifecycle {
    ignore_changes = [desired_count]
  }
}
