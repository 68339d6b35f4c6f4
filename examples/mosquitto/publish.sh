#!/bin/sh
# Sends a reading as this device: sh publish.sh '{"temperature":21}'
cd "$(dirname "$0")" || exit
[ $# -gt 0 ] || set -- '{"temperature":21}'
exec mosquitto_pub -V mqttv5 -h '@HOST@' -p '@PORT@' --cafile ca.pem --cert client_cert.pem --key private_key.pem \
  -i '@ID@' -q 1 -t 'devices/@ID@/messages/events/' -m "$1"
