locals {
  # Burstable classes work on credit; when it is used up they fall to a tenth of their speed.
  burstable = startswith(var.database.class, "db.t")
  gib       = 1024 * 1024 * 1024
  one = merge(
    {
      server-errors = {
        why       = "Requests ended in a 5xx. Read the log of the web tasks; look whether the database is there."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = { LoadBalancer = var.edge.LoadBalancer }
        statistic = "Sum", comparison = "GreaterThanThreshold", threshold = 5
        period    = 300, periods = 1, missing = "notBreaching"
      }
      no-answer = {
        why       = "The load balancer itself answered with a 5xx: no web task was there, or none answered in time."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = { LoadBalancer = var.edge.LoadBalancer }
        statistic = "Sum", comparison = "GreaterThanThreshold", threshold = 5
        period    = 300, periods = 1, missing = "notBreaching"
      }
      unhealthy = {
        why       = "A web task fails its health check. ECS replaces it; where that does not help, read its log."
        namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = var.edge
        statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0
        period    = 60, periods = 5, missing = "notBreaching"
      }
      disk = {
        why       = "A fifth of the database's first disk is left, and it did not grow. Raise database_storage_max_gib."
        namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = { DBInstanceIdentifier = var.database.identifier }
        statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.database.storage_gib * local.gib / 5
        period    = 300, periods = 3, missing = "breaching"
      }
      backup-age = {
        why       = "No scheduled backup was made for ${var.backup_age_hours} hours. Look at the schedules in the admin and at the log of the backup task."
        namespace = var.name, metric = "Backups", dimensions = {}
        statistic = "Sum", comparison = "LessThanThreshold", threshold = 1
        period    = 3600, periods = var.backup_age_hours, missing = "breaching"
      }
    },
    !local.burstable ? {} : {
      cpu-credits = {
        why       = "The database has nearly used up its CPU credits. Wait for a load to end, or take a larger database_class."
        namespace = "AWS/RDS", metric = "CPUCreditBalance", dimensions = { DBInstanceIdentifier = var.database.identifier }
        statistic = "Minimum", comparison = "LessThanThreshold", threshold = 20
        period    = 300, periods = 3, missing = "notBreaching"
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "one" {
  for_each            = local.one
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "rejects" {
  alarm_name          = "${var.name}-rejects"
  alarm_description   = "More than ${var.reject_percent} of a hundred records are refused. The reject desk says why: a sender's change, or a rule that is wrong."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.reject_percent
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "share"
    label       = "Rejected records in a hundred"
    expression  = "IF(read > 0, 100 * rejected / read, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { read = "RecordsRead", rejected = "RecordsRejected" }

    content {
      id = metric_query.key

      metric {
        namespace   = var.name
        metric_name = metric_query.value
        stat        = "Sum"
        period      = 900
      }
    }
  }
}
