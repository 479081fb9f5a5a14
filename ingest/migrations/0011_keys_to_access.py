from django.db import migrations

# A request that is repeated after the upgrade gets the answer that it had before.
HAND_OVER = """
insert into access_idempotencykey (owner, key, fingerprint, work, status, headers, answer, created_at)
select owner, key, fingerprint, '', status, headers, answer, created_at from ingest_idempotencykey
"""
# The table of before knows batches only.
TAKE_BACK = """
insert into ingest_idempotencykey (owner, key, fingerprint, batch_id, status, headers, answer, created_at)
select k.owner, k.key, k.fingerprint, b.id, k.status, k.headers, k.answer, k.created_at
from access_idempotencykey k join ingest_batch b on k.headers ->> 'Location' = '/api/v1/batches/' || b.id || '/';
delete from access_idempotencykey;
"""


def _forget_permissions(apps, schema_editor):
    types = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
    types.filter(app_label="ingest", model="idempotencykey").delete()  # permissions go with it


class Migration(migrations.Migration):

    dependencies = [
        ("ingest", "0010_total_parts"),
        ("access", "0003_idempotency_keys"),
        ("admin", "0001_initial"),  # its log points at content types
        ("auth", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunSQL(HAND_OVER, TAKE_BACK),
        migrations.DeleteModel(name="IdempotencyKey"),
        migrations.RunPython(_forget_permissions, migrations.RunPython.noop),
    ]
