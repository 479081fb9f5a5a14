"""What the site serves."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csp import csp_override
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from access.login import LoginForm, login
from access.password_change import PasswordChangeForm, password_change
from dataforge.metrics import MetricsView

admin.site.site_header = admin.site.site_title = "Data Forge"
admin.site.index_title = "Tables, batches and rejects"
admin.site.index_template = "front.html"
admin.site.login_form = LoginForm
admin.site.password_change_form = PasswordChangeForm

# Its OPTIONS would render a page that has no template.
swagger = SpectacularSwaggerSplitView.as_view(http_method_names=["get", "head"])
inline_styles = csp_override({**settings.SECURE_CSP, "style-src": ["'self'", "'unsafe-inline'"]})

urlpatterns = [
    path("admin/login/", login),  # these two before the admin's own, which they call
    path("admin/password_change/", admin.site.admin_view(password_change, cacheable=True)),
    path("admin/", admin.site.urls),
    path("api/v1/", include("ingest.api.urls")),
    path("api/v1/", include("backups.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", inline_styles(swagger), name="docs"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]

handler400 = "core.web.problems.bad_request"
handler404 = "core.web.problems.not_found"
handler500 = "core.web.problems.server_error"
