# Figures read from the logs: each batch over HTTP says how many records it read and refused, each scheduled backup that
# it was made (and verified: it is no backup before).

resource "aws_cloudwatch_log_metric_filter" "records" {
  for_each       = { read = "RecordsRead", rejected = "RecordsRejected" }
  name           = "${var.name}-${each.key}"
  log_group_name = var.log_groups["web"]
  pattern        = "{ $.event = \"batch\" && $.counts.${each.key} = * }"

  metric_transformation {
    namespace = var.name
    name      = each.value
    value     = "$.counts.${each.key}"
  }
}

resource "aws_cloudwatch_log_metric_filter" "backups" {
  name           = "${var.name}-backups"
  log_group_name = var.log_groups["backup"]
  pattern        = "\"tables backed up\""

  metric_transformation {
    namespace = var.name
    name      = "Backups"
    value     = "1"
  }
}
