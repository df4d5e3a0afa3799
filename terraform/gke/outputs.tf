output "cluster_name" {
  description = "Name of the cluster."
  value       = local.cluster.name
}

output "cluster_location" {
  description = "Where the cluster is."
  value       = local.cluster.location
}

output "cluster_endpoint" {
  description = "Address of the cluster's API, for the kubernetes provider."
  value       = local.cluster.endpoint
}

output "cluster_ca_certificate" {
  description = "Certificate of the cluster's API, in base64, for the kubernetes provider."
  value       = local.cluster.ca_certificate
  sensitive   = true
}

output "registry" {
  description = "Where to push images to; also the controller's AGENT_IMAGE_REGISTRY."
  value       = local.registry
}

output "namespace" {
  description = "Namespace of the dispatchers."
  value       = var.namespace
}

output "agents_namespace" {
  description = "Namespace of the agents."
  value       = kubernetes_namespace_v1.agents.metadata[0].name
}

output "agents_service_account" {
  description = "Service account that agents' pods run as."
  value       = kubernetes_service_account_v1.agent.metadata[0].name
}

output "node_service_account" {
  description = "Google service account of the nodes."
  value       = google_service_account.nodes.email
}

output "dispatcher_service_account" {
  description = "Google service account that dispatchers are by workload identity."
  value       = google_service_account.dispatcher.email
}

output "dispatcher_databases" {
  description = "Names of the databases that the dispatchers need."
  value       = [for ordinal in range(var.dispatcher_replicas) : "dispatcher-${ordinal}"]
}
