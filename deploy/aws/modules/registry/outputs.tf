output "url" {
  description = "Where images are pushed to and pulled from, without a tag."
  value       = aws_ecr_repository.this.repository_url
}

output "arn" {
  description = "ARN of the repository."
  value       = aws_ecr_repository.this.arn
}
