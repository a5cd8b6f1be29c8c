#!/bin/sh
# run.sh FUNNELD SANDBOX: a daemon on loopback with a throw-away database and stand-ins for the
# services, until Ctrl-C; prints a signed request to try.
set -eu
funneld=$1 sandbox=$2
folder=build/run
mkdir -p "$folder"
rm -f "$folder"/funneld.db*
"$sandbox" --make-credentials "$folder/service-account.json" >/dev/null
"$sandbox" --port 8450 --credentials "$folder/service-account.json" >"$folder/sandbox.log" 2>&1 &
trap 'kill $! 2>/dev/null || true' EXIT
export HUBSPOT_CLIENT_SECRET=local-secret
cat >"$folder/funneld.conf" <<CONF
[server]
listen = 127.0.0.1:8443
public_url = http://127.0.0.1:8443
[store]
path = $folder/funneld.db
[source hubspot]
type = hubspot
path = /webhooks/hubspot
secret = \${HUBSPOT_CLIENT_SECRET}
[connector slack]
type = slack
token = xoxb-sandbox
channel = C0123456789
url = http://127.0.0.1:8450
[rule demo-request]
when = event.property == "demo_requested" and event.value == "true"
points = 85
[route hot-lead]
when = score >= 80 and score.previous < 80
to = slack
CONF
echo "Send it a signed webhook from another terminal:"
echo
echo "    HUBSPOT_CLIENT_SECRET=$HUBSPOT_CLIENT_SECRET $funneld -c $folder/funneld.conf sign hubspot | sh"
echo
echo "Then: $funneld -c $folder/funneld.conf events (or leads, deliveries, score ID, status)"
echo
"$funneld" -c "$folder/funneld.conf" serve
