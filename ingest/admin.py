"""What the pipeline did, in the admin: batches with their accounts, and the records that it refused."""

from django.contrib import admin

from ingest.desk.pages.batch_admin import BatchAdmin
from ingest.desk.pages.bulk_admin import BulkJobAdmin
from ingest.desk.pages.reject_list_admin import RejectedRecordAdmin
from ingest.models import Batch, BulkJob, RejectedRecord

admin.site.register(Batch, BatchAdmin)
admin.site.register(BulkJob, BulkJobAdmin)
admin.site.register(RejectedRecord, RejectedRecordAdmin)
admin.site.index_template = "ingest/desk/front.html"
admin.site.enable_nav_sidebar = False  # lists need the width; the front page leads everywhere
