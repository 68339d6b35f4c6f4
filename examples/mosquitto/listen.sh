#!/bin/sh
# Shows what is sent to and from this device until Ctrl-C; options of mosquitto_sub may follow: sh listen.sh -C 1
cd "$(dirname "$0")" || exit
exec mosquitto_sub -V mqttv5 -h '@HOST@' -p '@PORT@' --cafile ca.pem --cert client_cert.pem --key private_key.pem \
  -i '@ID@-listener' -q 1 -t 'devices/@ID@/#' -v "$@"
