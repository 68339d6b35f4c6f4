"""An application without a line about certificates: it sends numbered readings with QoS 1 and comes back when it is cut off.

Arguments: port of the local proxy, topic, number of readings. It prints a line for each that was acknowledged, in order.
"""
import sys
import threading

import paho.mqtt.client as mqtt

port, topic, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
connected = threading.Event()
client = mqtt.Client(client_id='telemetry', clean_session=False, protocol=mqtt.MQTTv311)
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.on_connect = lambda *args: connected.set() if args[3] == 0 else None
client.connect('127.0.0.1', port)
client.loop_start()
if not connected.wait(20):
    raise SystemExit('no connection')
for number in range(count):
    message = client.publish(topic, str(number), qos=1)
    message.wait_for_publish(30)
    if not message.is_published():
        raise SystemExit(f'reading {number} was not acknowledged')
    print(number, flush=True)
client.disconnect()
client.loop_stop()
