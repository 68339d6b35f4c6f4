"""A client of EST that binds its request to its TLS 1.2 connection, with Python's TLS and OpenSSL's requests.

arguments: host port ca id token key [binding]; the last replaces the true binding. Prints status and body.
"""
import base64
import http.client
import socket
import ssl
import subprocess
import sys

host, port, ca, identity, token, key, *other = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.maximum_version = ssl.TLSVersion.TLSv1_2
connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
connection.connect()
binding = connection.sock.get_channel_binding('tls-unique')
text = other[0] if other else base64.b64encode(binding).decode()
config = f"""[req]
prompt = no
distinguished_name = name
attributes = attributes
[name]
CN = {identity}
[attributes]
challengePassword = {text}
"""
request = subprocess.run(
    ['openssl', 'req', '-new', '-sha256', '-key', key, '-config', '/dev/stdin', '-outform', 'DER'],
    input=config.encode(),
    stdout=subprocess.PIPE,
    check=True,
).stdout
credentials = base64.b64encode(f'{identity}:{token}'.encode()).decode()
headers = {'Content-Type': 'application/pkcs10', 'Authorization': f'Basic {credentials}'}
connection.request('POST', '/.well-known/est/simpleenroll', base64.b64encode(request), headers)
answer = connection.getresponse()
print(answer.status)
print(answer.read().decode())
