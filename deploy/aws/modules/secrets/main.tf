# Secrets that AWS makes up and Secrets Manager keeps. They are ephemeral here and written through write-only
# arguments, so neither plan nor state ever holds one. A new version number makes a new secret.

ephemeral "aws_secretsmanager_random_password" "this" {
  for_each            = var.versions
  password_length     = 50
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = var.versions
  name                    = "${var.name}/${each.key}"
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each                 = var.versions
  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  secret_string_wo_version = each.value
}
