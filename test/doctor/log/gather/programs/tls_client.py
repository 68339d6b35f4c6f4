"""A TLS client with Python's ssl, as an application logs it: host port ca cert key version name."""
import logging, socket, ssl, sys, traceback

host, port, ca, cert, key, version, name = sys.argv[1:8]
alpn = sys.argv[8] if len(sys.argv) > 8 else ''
logging.basicConfig(format='%(asctime)s %(name)s %(levelname)s %(message)s', level=logging.DEBUG)
log = logging.getLogger('uplink')
try:
    context = ssl.create_default_context(cafile=ca)
    if cert:
        context.load_cert_chain(cert, key, password=lambda: 'Wrong-one-1')
    if version == '1.2':
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if alpn:
        context.set_alpn_protocols([alpn])
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            tls.sendall(bytes.fromhex('101600044d5154540402003c000a') + b'device-001')
            log.info('answer %r', tls.recv(100))
except Exception as error:
    log.error('connection failed: %s', error)
    traceback.print_exc()
