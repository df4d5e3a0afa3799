output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = aws_ecs_cluster.this.arn
}

output "service_name" {
  description = "Name of the dispatchers' service, for `aws ecs` commands."
  value       = aws_ecs_service.dispatcher.name
}

output "autoscaling_group_name" {
  description = "Name of the group of instances."
  value       = aws_autoscaling_group.this.name
}

output "security_group_id" {
  description = "Security group of the instances. Controllers behind a security group of their own let it in on their port."
  value       = aws_security_group.instances.id
}

output "dispatcher_repository_url" {
  description = "Where to push the dispatcher's image to."
  value       = aws_ecr_repository.this["dispatcher"].repository_url
}

output "agent_image_registry" {
  description = "The controller's AGENT_IMAGE_REGISTRY for images in agent_repositories."
  value       = "${local.registry}/${var.name}-agents"
}

output "agent_repository_urls" {
  description = "Where to push agents' images to, by name."
  value       = { for repository in var.agent_repositories : repository => aws_ecr_repository.this["agent-${repository}"].repository_url }
}

output "log_group_names" {
  description = "Log groups, by container."
  value       = { for container, group in aws_cloudwatch_log_group.this : container => group.name }
}

output "kms_key_arn" {
  description = "Key of log groups and repositories."
  value       = local.kms_key_arn
}

output "instance_role_arn" {
  description = "Role of the instances."
  value       = aws_iam_role.instance.arn
}

output "execution_role_arn" {
  description = "Role that ECS starts the dispatcher with."
  value       = aws_iam_role.execution.arn
}
