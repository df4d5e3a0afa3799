# Nodes: what the kubelet needs (logs, metrics) and the images of this one registry. Not the project's default account, which may do far more.
resource "google_service_account" "nodes" {
  project      = var.project_id
  account_id   = "${var.name}-nodes"
  display_name = "Kohakku ${var.name}: nodes"
}

resource "google_project_iam_member" "nodes" {
  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  project    = var.project_id
  location   = google_artifact_registry_repository.this.location
  repository = google_artifact_registry_repository.this.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

# Dispatchers, by workload identity: a key file exists nowhere.
resource "google_service_account" "dispatcher" {
  project      = var.project_id
  account_id   = "${var.name}-dispatcher"
  display_name = "Kohakku ${var.name}: dispatchers"
}

resource "google_service_account_iam_member" "dispatcher" {
  service_account_id = google_service_account.dispatcher.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${local.workload_pool}[${var.namespace}/dispatcher]"

  # The pool comes with the first cluster of the project that has workload identity.
  depends_on = [google_container_cluster.this]
}

resource "google_project_iam_member" "dispatcher" {
  for_each = var.dispatcher_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.dispatcher.member
}
