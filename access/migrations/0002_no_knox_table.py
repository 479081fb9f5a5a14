from django.db import migrations
from django.db.migrations.recorder import MigrationRecorder

# Knox's own migrations made a table for a model that `access.Token` replaces: nothing ever wrote to it, and `flush`
# failed on it. They are no longer run (MIGRATION_MODULES); what they left is taken away, so that a program that still
# runs them finds a database that never saw them.


def _forget(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Its permissions go with it, from users and groups too.
    apps.get_model("contenttypes", "ContentType").objects.using(alias).filter(app_label="knox").delete()
    MigrationRecorder(schema_editor.connection).migration_qs.filter(app="knox").delete()


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0001_initial"),
        ("admin", "0001_initial"),  # its log points at content types
        ("auth", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunSQL("drop table if exists knox_authtoken", migrations.RunSQL.noop),
        migrations.RunPython(_forget, migrations.RunPython.noop),
    ]
