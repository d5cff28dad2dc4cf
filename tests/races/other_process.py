"""Another process of the same installation: a line in is the secret of a call, a line out what it was answered.

Knows nothing of the tests beside it, and keeps its connection to the database from one call to the next.
"""

import json
import sys

import django
from django.db import connection
from django.test import Client


def main(database: str) -> None:
    django.setup()
    connection.settings_dict["NAME"] = database
    for line in sys.stdin:
        clear = json.loads(line)
        answer = Client(raise_request_exception=False).get("/v1/whoami", headers={"x-portkey-api-key": clear})
        said = answer.json().get("scopes", []) if answer.status_code == 200 else None
        sys.stdout.write(json.dumps([answer.status_code, said]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
