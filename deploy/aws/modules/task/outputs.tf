output "arn" {
  description = "Task definition with its revision."
  value       = aws_ecs_task_definition.this.arn
}

output "family" {
  description = "Task definition without its revision: the newest."
  value       = aws_ecs_task_definition.this.family
}

output "family_arn" {
  description = "ARN of the task definition without its revision."
  value       = aws_ecs_task_definition.this.arn_without_revision
}

output "role_arns" {
  description = "Both roles, for whoever starts the task."
  value       = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
}

output "log_group" {
  description = "Where it writes its log."
  value       = aws_cloudwatch_log_group.this.name
}
