"""Does what it is told with Paho, one connection for each act, and says what the server made of it.

Standard input is JSON: {port, ca, version, acts: [{id, cert, key, action, topic, payload, refusals}]}, where refusals are what CONNACK
may say instead of 0. Standard output is a list of "allow", "deny" or "unseen", where Paho does not show the answer to its user (the
reason of a PUBACK); for "receive", the topic of the first message.
"""
import json
import sys
import time

import paho.mqtt.client as mqtt

told = json.load(sys.stdin)
version = {'3.1': mqtt.MQTTv31, '3.1.1': mqtt.MQTTv311, '5': mqtt.MQTTv5}[told['version']]


class Act:
    def __init__(self, act):
        self.act = act
        self.connected = None
        self.answer = None
        self.ended = False
        self.client = mqtt.Client(client_id=act['id'], protocol=version)
        self.client.tls_set(told['ca'], act['cert'], act['key'])
        self.client.on_connect = self.on_connect
        self.client.on_disconnect = self.on_disconnect
        self.client.on_publish = self.on_publish
        self.client.on_subscribe = self.on_subscribe
        self.client.on_message = self.on_message
        self.heard = None
        if act['action'] == 'will':
            self.client.will_set(act['topic'], act['payload'], qos=1)

    def on_connect(self, client, userdata, flags, code, properties=None):
        self.connected = code if isinstance(code, int) else code.value

    def on_disconnect(self, client, userdata, code, properties=None):
        self.ended = True

    def on_publish(self, client, userdata, mid):
        self.answer = 'unseen' if version == mqtt.MQTTv5 else 'allow'

    def on_subscribe(self, client, userdata, mid, granted, properties=None):
        code = granted[0] if isinstance(granted[0], int) else granted[0].value
        self.answer = {0: 'allow', 1: 'allow', 2: 'allow', 128: 'deny', 135: 'deny'}[code]

    def on_message(self, client, userdata, message):
        self.heard = self.heard or message.topic

    def until(self, what):
        give_up = time.monotonic() + 20
        while not what():
            if time.monotonic() > give_up:
                raise SystemExit(f'no answer to {self.act}')
            self.client.loop(0.05)

    def result(self):
        action, topic = self.act['action'], self.act['topic']
        self.client.connect('localhost', told['port'])
        self.until(lambda: self.connected is not None or self.ended)
        if self.connected != 0:
            if self.connected not in self.act['refusals']:
                raise SystemExit(f'CONNACK {self.connected} to {self.act}')
            return 'deny'
        if action in ('subscribe', 'receive'):
            self.client.subscribe(topic, qos=1)
        elif action in ('publish', 'retain'):
            self.client.publish(topic, self.act['payload'], qos=1, retain=action == 'retain')
        else:
            self.answer = 'allow'
        self.until(lambda: self.answer is not None or self.ended)
        answer = self.answer or 'deny'
        if action == 'receive':
            self.client.publish('halls/own/ready', '', qos=1)
            self.until(lambda: self.heard is not None or self.ended)
            answer = self.heard or 'nothing'
        # A will leaves when the connection ends without a word; everything else says goodbye.
        if action == 'will':
            self.client.socket().close()
        else:
            self.client.disconnect()
        return answer


print(json.dumps([Act(act).result() for act in told['acts']]))
