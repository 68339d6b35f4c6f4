"""The common runtime of AWS: host port ca cert key version name protocol."""
import sys, time, traceback
from awscrt import io, mqtt, mqtt5

host, port, ca, cert, key, version, name, protocol = sys.argv[1:9]
io.init_logging(io.LogLevel.Error, 'stderr')
try:
    group = io.EventLoopGroup(1)
    bootstrap = io.ClientBootstrap(group, io.DefaultHostResolver(group))
    tls = None
    if ca:
        options = io.TlsContextOptions.create_client_with_mtls_from_path(cert, key) if cert else io.TlsContextOptions()
        options.override_default_trust_store_from_path(None, ca)
        if version == '1.2':
            options.min_tls_ver = io.TlsVersion.TLSv1_2
        tls = io.ClientTlsContext(options)
    if protocol == '5':
        def failed(data):
            print('on_lifecycle_connection_failure:', data.exception, data.connack_packet.reason_code.name if data.connack_packet else '')
        def lost(data):
            print('on_lifecycle_disconnection:', data.exception, data.disconnect_packet.reason_code.name if data.disconnect_packet else '')
        client = mqtt5.Client(mqtt5.ClientOptions(
            host_name=host, port=int(port), bootstrap=bootstrap, tls_ctx=tls,
            connect_options=mqtt5.ConnectPacket(client_id='device-001'),
            on_lifecycle_event_connection_failure_fn=failed, on_lifecycle_event_disconnection_fn=lost))
        client.start()
        time.sleep(1.5)
        client.stop()
    else:
        connection = mqtt.Connection(
            client=mqtt.Client(bootstrap, tls), host_name=host, port=int(port), client_id='device-001',
            on_connection_interrupted=lambda connection, error: print('Connection interrupted. error:', error))
        connection.connect().result(4)
        future, _ = connection.subscribe('plant/all', mqtt.QoS.AT_LEAST_ONCE, lambda *a: None)
        print('subscribed', future.result(3))
        time.sleep(0.5)
except BaseException:
    traceback.print_exc()
