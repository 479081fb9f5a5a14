output "host" {
  description = "Name of the load balancer, to which the domain must point."
  value       = aws_lb.this.dns_name
}

output "target_group_arn" {
  description = "Where web tasks register. Known only when the listener forwards to it, as a service needs."
  value       = aws_lb_listener.https.default_action[0].target_group_arn
}

output "metric_dimensions" {
  description = "How CloudWatch names the load balancer and the target group."
  value       = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.web.arn_suffix }
}
