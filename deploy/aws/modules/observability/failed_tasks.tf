# A task that ended with a fault (a refused load, a schedule that failed or was missed, a worker that died) is told of.

resource "aws_cloudwatch_event_rule" "failed" {
  name        = "${var.name}-failed-tasks"
  description = "A task of ${var.name} ended with another exit code than 0"

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [var.cluster_arn]
      lastStatus = ["STOPPED"]
      containers = { exitCode = [{ anything-but = 0 }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "failed" {
  rule = aws_cloudwatch_event_rule.failed.name
  arn  = aws_sns_topic.alarms.arn

  input_transformer {
    input_paths    = { task = "$.detail.group", reason = "$.detail.stoppedReason", code = "$.detail.containers[0].exitCode" }
    input_template = "\"<task> ended with exit code <code>: <reason>\""
  }
}
