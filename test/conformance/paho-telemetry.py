"""An application without a line about certificates: it sends numbered readings with QoS 1 and comes back when it is cut off.

Arguments: port of the local proxy, topic. It prints the number of each reading that was acknowledged, in order, and ends when its
standard input does.
"""
import sys
import threading
import time

import paho.mqtt.client as mqtt

port, topic = int(sys.argv[1]), sys.argv[2]
connected, told_to_end = threading.Event(), threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), told_to_end.set()), daemon=True).start()
client = mqtt.Client(client_id='telemetry', clean_session=False, protocol=mqtt.MQTTv311)
client.reconnect_delay_set(min_delay=1, max_delay=1)
client.on_connect = lambda *args: connected.set() if args[3] == 0 else None
acknowledged = set()
client.on_publish = lambda *args: acknowledged.add(args[2])
client.connect('127.0.0.1', port)
client.loop_start()
if not connected.wait(20):
    raise SystemExit('no connection')
number = 0
while not told_to_end.is_set():
    # Without a connection it waits for the next one, which Paho calls an error all the same.
    mid = client.publish(topic, str(number), qos=1).mid
    give_up = time.monotonic() + 30
    while mid not in acknowledged:
        if time.monotonic() > give_up:
            raise SystemExit(f'reading {number} was not acknowledged')
        time.sleep(0.02)
    print(number, flush=True)
    acknowledged.clear()
    number += 1
client.disconnect()
client.loop_stop()
