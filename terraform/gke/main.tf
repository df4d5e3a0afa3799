data "google_container_cluster" "existing" {
  count = var.existing_cluster == null ? 0 : 1

  project  = var.project_id
  name     = var.existing_cluster.name
  location = var.existing_cluster.location
}

locals {
  is_new = var.existing_cluster == null
  # A resource and a data source are of different types, so each value is chosen by itself.
  cluster = {
    name           = local.is_new ? google_container_cluster.this[0].name : data.google_container_cluster.existing[0].name
    location       = local.is_new ? google_container_cluster.this[0].location : data.google_container_cluster.existing[0].location
    endpoint       = local.is_new ? google_container_cluster.this[0].endpoint : data.google_container_cluster.existing[0].endpoint
    ca_certificate = local.is_new ? google_container_cluster.this[0].master_auth[0].cluster_ca_certificate : data.google_container_cluster.existing[0].master_auth[0].cluster_ca_certificate
  }

  labels        = merge({ application = "kohakku", runtime = var.name }, var.labels)
  workload_pool = "${var.project_id}.svc.id.goog"

  api_server_cidr = coalesce(var.api_server_cidr, "${local.cluster.endpoint}/32")

  # Addresses that are the installation's, the cluster's or the cloud's own: where an agent with `internet` may not go.
  private_networks = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
}
