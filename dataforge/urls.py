"""What the site serves."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from dataforge.metrics import MetricsView

admin.site.site_header = admin.site.site_title = "Data Forge"
admin.site.index_title = "Tables, batches and rejects"
admin.site.index_template = "front.html"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("ingest.api.urls")),
    path("api/v1/", include("backups.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]

handler400 = "access.problems.bad_request"
handler404 = "access.problems.not_found"
handler500 = "access.problems.server_error"
