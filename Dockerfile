# One image for web, worker, beat and migrate; docker-compose.yml says which is which.
# docker build --build-arg RELEASE=$(git rev-parse --short HEAD) -t codebar .
# For the very same bytes every time give the tag its digest: --build-arg PYTHON=3.13-slim-bookworm@sha256:…
ARG PYTHON=3.13-slim-bookworm

# ---- What is installed and made, with pip; nothing is compiled, everything comes as a wheel ----
FROM python:${PYTHON} AS builder
WORKDIR /srv/codebar

RUN python -m venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH
COPY requirements/base.txt requirements/
RUN pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/base.txt

COPY . .
# collectstatic reads the settings and connects to nothing, so it gets addresses that lead nowhere.
RUN python -m codebar.local.messages compile \
    && SECRET_KEY=build SITE_URL=https://codebar.invalid DEFAULT_FROM_EMAIL=build@codebar.invalid \
    DATABASE_URL=postgres://build@127.0.0.1:1/build BROKER_URL=redis://127.0.0.1:1/0 \
    CACHE_URL=redis://127.0.0.1:2/0 EMAIL_URL=smtp://127.0.0.1:1 \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q . \
    && pip uninstall --yes --quiet pip

# ---- What runs: Python, the two folders, and an account that may write to neither ----
FROM python:${PYTHON}
RUN useradd --system --uid 10001 --no-create-home codebar
COPY --from=builder /srv /srv
WORKDIR /srv/codebar
USER 10001

# What this image is called in every line, number and audit.
ARG RELEASE=
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000 RELEASE=$RELEASE

EXPOSE 8000
# Of the web. A worker and beat have their own in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["python", "deploy/ready.py"]
CMD ["gunicorn", "codebar.wsgi"]
