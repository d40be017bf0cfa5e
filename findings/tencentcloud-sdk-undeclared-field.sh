#!/usr/bin/env bash
# tencentcloud-sdk-python-intl-en 3.1.193 sends a field that a request does not declare under a name without its first letter:
# ServiceId becomes ErviceId. No error and no warning; the same field in JSON is left out, with a warning.
#
# The China site has fields that the SDK of the international site does not declare, such as the filter ServiceId of
# DescribeCertificates (the subscription service). A request object takes any attribute, and for each one its encoder drops
# the first character, taking it for the underscore of a declared field.
#
# Seen with tencentcloud-sdk-python-intl-en 3.1.193:
#
#   request.ServiceId = "svc-1"   on the wire: {"Limit": 1, "ErviceId": "svc-1"}
#   from_json_string(...)         on the wire: {"Limit": 1}, UserWarning: ServiceId fileds are useless.
#
# What follows: a server that refuses unknown parameters answers UnknownParameter to a name that nobody wrote, and one that
# ignores them lists without the filter. Needs python3 with venv. Fails if any of that changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install tencentcloud-sdk-python-intl-en==3.1.193
seen=$("$work/venv/bin/python" -W ignore - <<'PYTHON'
from tencentcloud.ssl.v20191205.models import DescribeCertificatesRequest

by_attribute, by_json = DescribeCertificatesRequest(), DescribeCertificatesRequest()
by_attribute.Limit, by_attribute.ServiceId = 1, "svc-1"
by_json.from_json_string('{"Limit": 1, "ServiceId": "svc-1"}')
# Null fields are left out when it is sent.
print(*({k: v for k, v in request._serialize().items() if v is not None} for request in (by_attribute, by_json)))
PYTHON
)
echo "$seen"
[ "$seen" = "{'Limit': 1, 'ErviceId': 'svc-1'} {'Limit': 1}" ]
