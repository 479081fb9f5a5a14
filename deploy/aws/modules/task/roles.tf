# Two roles: AWS starts the container as the first, and what runs in it is the second.

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "by_tasks_of_ours" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "LogInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # it is of the account, not of a repository
  }

  statement {
    sid       = "PullImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [var.registry_arn]
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  statement {
    sid       = "ReadItsSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = distinct([for secret in var.secrets : secret.arn])
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.by_tasks_of_ours.json
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.by_tasks_of_ours.json
}

locals {
  listed = concat(var.reads, var.writes)
}

data "aws_iam_policy_document" "buckets" {
  count = length(local.listed) > 0 ? 1 : 0

  statement {
    sid       = "List"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = local.listed
  }

  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = [for arn in local.listed : "${arn}/*"]
  }

  dynamic "statement" {
    for_each = length(var.writes) > 0 ? [var.writes] : []

    content {
      sid       = "ListUploads"
      actions   = ["s3:ListBucketMultipartUploads"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(var.writes) > 0 ? [var.writes] : []

    content {
      sid       = "Write"
      actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      resources = [for arn in statement.value : "${arn}/*"]
    }
  }
}

resource "aws_iam_role_policy" "buckets" {
  count  = length(local.listed) > 0 ? 1 : 0
  name   = "buckets"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.buckets[0].json
}
