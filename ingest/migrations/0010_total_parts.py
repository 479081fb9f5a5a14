from django.db import migrations


class Migration(migrations.Migration):
    """The model is called what it is; the table keeps its name, so nothing is done in the database."""

    dependencies = [
        ('ingest', '0009_reject_header'),
    ]

    operations = [
        migrations.AlterModelTable(name='tally', table='ingest_tally'),
        migrations.AlterModelOptions(name='tally', options={'default_permissions': ()}),
        migrations.RenameModel(old_name='Tally', new_name='TotalPart'),
    ]
