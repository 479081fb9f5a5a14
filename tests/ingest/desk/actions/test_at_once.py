"""Two people who save the same record in the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.contrib.auth.models import User
from django.db import connection

from ingest.models import Batch, RejectedRecord
from tests.support.access.people import browser
from tests.support.api.parcels import stored
from tests.support.desk.people import refused, staff
from tests.support.loading.loads import PLAIN


def test_one_wins_and_the_other_is_told_in_words(committed: None) -> None:
    reject = refused("sellers", seller_state="XX")
    people = [staff(name, superuser=True) for name in ("ana", "eva")]
    together = Barrier(len(people))

    def save(person: User) -> tuple[int, str]:
        client = browser(person)
        data = {"tries": "0", **{f"record-{name}": value for name, value in PLAIN["sellers"].items()}}
        together.wait()
        try:
            answer = client.post(f"/admin/ingest/rejectedrecord/{reject.pk}/repair/", data, secure=True)
            return answer.status_code, answer.content.decode()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        answers = sorted(pool.map(save, people))
    assert [status for status, _ in answers] == [200, 302]
    assert f"The reject {reject.pk} is closed already: replayed." in answers[0][1]
    assert stored("sellers") == 1
    assert Batch.objects.filter(origin="replay").count() == 1
    assert RejectedRecord.objects.get().attempts == 1
