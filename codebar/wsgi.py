"""What gunicorn serves: `gunicorn codebar.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codebar.settings")

application = get_wsgi_application()

from invitations.services import telling  # noqa: E402 -- models can be imported only now

telling.warn_where_unheard()
