/** Clients that are refused, or refuse: each one prints what the person at the device would find. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { environmentOn } from './clock.ts'
import type { Place } from './servers.ts'

export interface Dial {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** `1.2` holds the client to it. */
  readonly version: '' | '1.2'
  readonly name: string
  readonly alpn: string
  /** Other than the certificate's own key, or a certificate that is none: what is no PFX. */
  readonly isSpoilt: boolean
  readonly day: string | null
}

export interface Client {
  readonly by: string
  /** True where it offers an application protocol (ALPN). */
  readonly offersAlpn?: boolean
  /** False for a library that speaks TLS 1.2 alone. */
  readonly isModern?: boolean
  command(dial: Dial, place: Place): readonly string[] | null
}

const paths = (dial: Dial) => [dial.host, String(dial.port), dial.ca, dial.cert, dial.key, dial.version, dial.name]
const own = (dial: Dial, cert: string, key: string) => (dial.cert === '' ? [] : [cert, dial.cert, key, dial.key])

/** A Python with paho-mqtt 2 and awscrt, where somebody has one: `HANDFAST_GATHER_PYTHON=venv/bin/python`. */
export const ownPython = process.env.HANDFAST_GATHER_PYTHON

const optional: readonly Client[] =
  ownPython === undefined
    ? []
    : [
        {
          by: 'Paho for Python 2',
          command: (d, { programs }) => [ownPython, join(programs, 'paho_client.py'), ...paths(d), '5'],
        },
        { by: 'aws-crt', command: (d, { programs }) => [ownPython, join(programs, 'aws_client.py'), ...paths(d), '4'] },
      ]

export const clients: readonly Client[] = [
  {
    by: 'openssl s_client 3.0',
    offersAlpn: true,
    command: (d) => [
      ...['openssl', 's_client', '-connect', `${d.host}:${d.port}`, '-CAfile', d.ca, ...own(d, '-cert', '-key')],
      ...(d.version === '1.2' ? ['-tls1_2'] : []),
      ...['-verify_return_error', '-verify_hostname', d.name, '-pass', 'pass:Wrong-one-1', '-quiet'],
      ...(d.alpn === '' ? [] : ['-alpn', d.alpn]),
    ],
  },
  {
    by: 'mosquitto_pub 2.0.11',
    offersAlpn: true,
    command: (d) => [
      ...['mosquitto_pub', '-d', '-h', d.host, '-p', String(d.port), '--cafile', d.ca, ...own(d, '--cert', '--key')],
      ...(d.version === '1.2' ? ['--tls-version', 'tlsv1.2'] : []),
      ...(d.alpn === '' ? [] : ['--tls-alpn', d.alpn]),
      ...['-i', 'device-001', '-t', 'plant/all', '-m', 'x', '-q', '1'],
    ],
  },
  {
    by: 'curl 7.88',
    offersAlpn: true,
    command: (d) => [
      ...['curl', '-v', '--max-time', '4', '--cacert', d.ca, ...own(d, '--cert', '--key'), '--pass', 'Wrong-one-1'],
      ...(d.version === '1.2' ? ['--tls-max', '1.2'] : []),
      `https://${d.host}:${d.port}/`,
    ],
  },
  {
    by: 'gnutls-cli 3.7',
    offersAlpn: true,
    command: (d) => [
      ...['gnutls-cli', '--port', String(d.port), '--x509cafile', d.ca, ...own(d, '--x509certfile', '--x509keyfile')],
      ...(d.version === '1.2' ? ['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'] : []),
      ...(d.alpn === '' ? [] : ['--alpn', d.alpn]),
      d.host,
    ],
  },
  {
    by: 'Python 3.11, ssl',
    offersAlpn: true,
    command: (d, { programs }) => ['/usr/bin/python3', join(programs, 'tls_client.py'), ...paths(d), d.alpn],
  },
  {
    by: 'Paho for Python 1.6',
    command: (d, { programs }) => ['/usr/bin/python3', join(programs, 'paho_client.py'), ...paths(d), '4'],
  },
  {
    by: 'MQTT.js 5 on Node 24',
    command: (d, { programs }) => [process.execPath, join(programs, 'node-client.mjs'), ...paths(d), '4'],
  },
  // libfaketime does not reach Go, which asks the kernel itself.
  {
    by: 'Go, TLS client',
    offersAlpn: true,
    command: (d, { built }) => (d.day === null ? [join(built, 'gocli'), ...paths(d), d.alpn] : null),
  },
  {
    by: 'Java 17, TLS client',
    command: (d, { built }) =>
      d.isSpoilt || d.alpn !== ''
        ? null
        : [
            'java',
            '-cp',
            built,
            'TlsClient',
            d.host,
            String(d.port),
            d.ca,
            d.cert.replace(/\.pem$/, '.p12'),
            d.version,
            d.name,
          ],
  },
  {
    by: 'mbedTLS 2.28 client',
    isModern: false,
    command: (d, { built }) => [join(built, 'mbed'), ...paths(d), 'Wrong-one-1'],
  },
  { by: 'wolfSSL 5.5 client', command: (d, { built }) => [join(built, 'wolf'), ...paths(d)] },
  {
    by: 'Paho for C 1.3',
    command: (d, { built }) => [join(built, 'paho'), `ssl://${d.host}:${d.port}`, d.ca, d.cert, d.key, '4'],
  },
  ...optional,
]

/** Runs a client to its end. @returns what it printed */
export async function runClient(command: readonly string[], day: string | null): Promise<string> {
  const [program = '', ...rest] = command
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/', env: environmentOn(day) })
  let text = ''
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  child.stdin.on('error', () => undefined)
  // Long enough for a TLS 1.3 server to say no after the handshake.
  setTimeout(() => child.stdin.end(), 700)
  const late = setTimeout(() => child.kill('SIGKILL'), 7000)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(late)
  return text
}
