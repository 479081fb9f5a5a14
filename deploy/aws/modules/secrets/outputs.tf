output "arns" {
  description = "ARN of each secret, by its name; known only when it has a value."
  value       = { for name, secret in aws_secretsmanager_secret_version.this : name => secret.arn }
}
