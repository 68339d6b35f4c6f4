"""Connects as this device and sends one reading, with Eclipse Paho 1.6 or 2: python3 publish.py"""
import sys
from pathlib import Path

import paho.mqtt.client as mqtt

here = Path(__file__).resolve().parent
passphrase = here / "private_key_pass.txt"
problems = []


def on_connect(client, userdata, flags, reason, properties=None):
    if reason == 0:
        client.publish("devices/@ID@/messages/events/", '{"temperature":21}', qos=1)
    else:
        problems.append(f"the hub refused the connection: {reason}")
        client.disconnect()


def on_publish(client, userdata, mid, reason=0, properties=None):
    print("sent")
    client.disconnect()


# Paho 2 wants to be told which form its callbacks have; Paho 1 does not know the question.
version = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*version, client_id="@ID@", protocol=mqtt.MQTTv5)
client.tls_set(
    ca_certs=str(here / "ca.pem"),
    certfile=str(here / "client_cert.pem"),
    keyfile=str(here / "private_key.pem"),
    keyfile_password=passphrase.read_text() if passphrase.exists() else None,
)
client.on_connect = on_connect
client.on_publish = on_publish
client.connect("@HOST@", @PORT@)
client.loop_forever(retry_first_connection=False)
if problems:
    sys.exit(problems[0])
