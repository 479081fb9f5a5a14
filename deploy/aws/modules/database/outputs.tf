output "identifier" {
  description = "Name of the instance, also to CloudWatch."
  value       = aws_db_instance.this.identifier
}

output "host" {
  description = "Host name, which stands in the server's certificate."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Port on which it listens."
  value       = aws_db_instance.this.port
}

output "master_user" {
  description = "The master user's name."
  value       = aws_db_instance.this.username
}

output "master_secret_arn" {
  description = "Where RDS keeps the master user's password."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}
