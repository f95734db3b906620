# One image for web, worker, beat and migrate; docker-compose.yml says which is which.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/codebar

COPY requirements/base.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt

COPY . .
# collectstatic reads the settings and connects to nothing, so it gets addresses that lead nowhere.
RUN SECRET_KEY=build SITE_URL=https://codebar.invalid DEFAULT_FROM_EMAIL=build@codebar.invalid \
    DATABASE_URL=postgres://build@127.0.0.1:1/build BROKER_URL=redis://127.0.0.1:1/0 \
    CACHE_URL=redis://127.0.0.1:2/0 EMAIL_URL=smtp://127.0.0.1:1 \
    python manage.py collectstatic --no-input \
    && useradd --system --no-create-home codebar
USER codebar

EXPOSE 8000
CMD ["gunicorn", "codebar.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3"]
