"""The application of telemetry.js in Python: it publishes a number a second through the local proxy, with QoS 1, and hears them again.

Arguments: port of the proxy, id. It ends when it reads a line on standard input and all has come, and prints how much that was.
"""
import json
import sys
import threading
import time

import paho.mqtt.client as mqtt

port, topic = int(sys.argv[1]), f'devices/{sys.argv[2]}/python/'
acknowledged, heard, sent = set(), set(), set()
subscribed, told_to_end = threading.Event(), threading.Event()
connections = 0


def on_connect(client, userdata, flags, code):
    global connections
    if code == 0:
        connections += 1
        client.subscribe(topic, qos=1)


client = mqtt.Client(client_id='telemetry-python', clean_session=False, protocol=mqtt.MQTTv311)
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.on_connect = on_connect
client.on_subscribe = lambda *_: subscribed.set()
client.on_publish = lambda client, userdata, mid: acknowledged.add(mid)
client.on_message = lambda client, userdata, message: heard.add(message.payload)
client.connect('127.0.0.1', port)
client.loop_start()
threading.Thread(target=lambda: (sys.stdin.readline(), told_to_end.set()), daemon=True).start()
subscribed.wait()
while not told_to_end.is_set():
    sent.add(client.publish(topic, str(len(sent)), qos=1).mid)
    time.sleep(1)
while len(heard) < len(sent) or not sent <= acknowledged:
    time.sleep(0.5)
counted = {'published': len(sent), 'acknowledged': len(sent & acknowledged), 'heard': len(heard), 'connections': connections}
print(json.dumps(counted), flush=True)
client.disconnect()
client.loop_stop()
