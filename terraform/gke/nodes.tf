resource "google_container_node_pool" "system" {
  count = local.is_new ? 1 : 0

  project  = var.project_id
  cluster  = google_container_cluster.this[0].name
  location = google_container_cluster.this[0].location
  name     = "system"

  autoscaling {
    min_node_count = var.system_pool.min_per_zone
    max_node_count = var.system_pool.max_per_zone
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    max_surge       = 1
    max_unavailable = 0
  }

  network_config {
    enable_private_nodes = true
  }

  node_config {
    machine_type    = var.system_pool.machine_type
    image_type      = "COS_CONTAINERD"
    disk_type       = "pd-balanced"
    disk_size_gb    = 50
    service_account = google_service_account.nodes.email
    # What the account may do says IAM, not the scope.
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    resource_labels = local.labels
    labels          = { "kohakku.io/pool" = "system" }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
}

# Agents run code that nobody has read, so between them and the node's kernel stands gVisor. GKE taints these nodes by itself
# (sandbox.gke.io/runtime=gvisor): a pod gets here by its runtime class, `gvisor`, and no other does.
resource "google_container_node_pool" "agents" {
  provider = google-beta

  project  = var.project_id
  cluster  = local.cluster.name
  location = local.cluster.location
  name     = "${var.name}-agents"

  autoscaling {
    total_min_node_count = var.agent_pool.min
    total_max_node_count = var.agent_pool.max
    location_policy      = var.agent_pool.spot ? "ANY" : "BALANCED"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    max_surge       = 1
    max_unavailable = 0
  }

  network_config {
    enable_private_nodes = true
  }

  node_config {
    machine_type    = var.agent_pool.machine_type
    image_type      = "COS_CONTAINERD"
    disk_type       = "pd-balanced"
    disk_size_gb    = var.agent_pool.disk_gb
    spot            = var.agent_pool.spot
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    resource_labels = local.labels
    labels          = { "kohakku.io/pool" = "agents" }

    sandbox_config {
      sandbox_type = "gvisor"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    # Pods get the metadata of their own service account, never the node's.
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
}
