"""Paho for Python: host port ca cert key version name protocol."""
import logging, ssl, sys, time, traceback
import paho.mqtt.client as mqtt

host, port, ca, cert, key, version, name, protocol = sys.argv[1:9]
logging.basicConfig(format='%(asctime)s %(name)s %(levelname)s %(message)s', level=logging.DEBUG)
log = logging.getLogger('paho')
kind = mqtt.MQTTv5 if protocol == '5' else mqtt.MQTTv311
new_api = hasattr(mqtt, 'CallbackAPIVersion')
arguments = [mqtt.CallbackAPIVersion.VERSION2] if new_api else []
client = mqtt.Client(*arguments, client_id='device-001', protocol=kind)
client.enable_logger(log)
client.on_connect = lambda *a: log.info('on_connect: %s', a[3] if new_api or protocol == '5' else mqtt.connack_string(a[3]))
client.on_disconnect = lambda *a: log.info('on_disconnect: %s', a[3] if new_api else (mqtt.error_string(a[2]) if isinstance(a[2], int) else a[2]))
client.on_subscribe = lambda *a: log.info('on_subscribe: %s', a[3])
try:
    if ca:
        client.tls_set(ca_certs=ca, certfile=cert or None, keyfile=key or None,
                       tls_version=ssl.PROTOCOL_TLS_CLIENT, keyfile_password='Wrong-one-1')
    client.connect(host, int(port), 30)
    client.subscribe('plant/all')
    client.loop_start()
    time.sleep(1.2)
    client.loop_stop()
except Exception:
    traceback.print_exc()
