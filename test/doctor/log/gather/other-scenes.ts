/** What goes wrong before TLS and after it: ports, protocols, CONNACK codes. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { clients, ownPython, runClient } from './clients.ts'
import type { Harvest } from './harvest.ts'
import { type Place, startServer } from './servers.ts'

/** Nobody listens, nobody knows the name, nobody speaks TLS, or nobody should. */
export async function wrongProtocolScenes(place: Place, harvest: Harvest): Promise<void> {
  const at = (file: string) => join(place.pki, file)
  const base = {
    ca: at('root.pem'),
    cert: at('device.pem'),
    key: at('device.key'),
    version: '',
    name: 'localhost',
    alpn: '',
    isSpoilt: false,
    day: null,
  } as const
  const meet = async (truth: string, host: string, port: number, some = clients) => {
    for (const client of some) {
      const command = client.command({ ...base, host, port }, place)
      if (command !== null) harvest.take(client.by, 'client', { truth: [truth] }, await runClient(command, null))
    }
  }
  await meet('port-refused', '127.0.0.1', 1)
  await meet('name-not-found', 'broker.nowhere.invalid', 8883)

  const plain = await listen((socket) => socket.once('data', () => socket.end()))
  await meet('port-speaks-plain-mqtt', 'localhost', plain.port)
  plain.close()
  const web = await listen((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
  await meet('port-speaks-http', 'localhost', web.port)
  web.close()
  const reset = await listen((socket) => socket.resetAndDestroy())
  await meet('connection-reset', 'localhost', reset.port)
  reset.close()

  for (const name of ['mosquitto', 'openssl', 'gnutls', 'node-lax', 'go'] as const) {
    const server = await startServer(name, { name: '', truth: [] }, '1.2', place)
    if (server === null) continue
    const mosquitto = ['mosquitto_pub', '-h', 'localhost', '-p', String(server.port), '-i', 'x', '-t', 'x', '-m', 'x']
    harvest.take(
      'mosquitto_pub 2.0.11',
      'client',
      { truth: ['plain-mqtt-on-tls-port'] },
      await runClient(mosquitto, null),
    )
    harvest.take(server.by, 'server', { truth: ['plain-mqtt-on-tls-port'] }, await server.stop())
    const second = await startServer(name, { name: '', truth: [] }, '1.2', place)
    if (second === null) continue
    await runClient(['curl', '-s', '--max-time', '3', `http://localhost:${second.port}/`], null)
    harvest.take(second.by, 'server', { truth: ['http-on-tls-port'] }, await second.stop())
  }
}

const connack3 = [
  [1, 'protocol-version-unsupported'],
  [2, 'client-id-invalid'],
  [3, 'broker-unavailable'],
  [4, 'password-wrong'],
  [5, 'connect-denied'],
] as const
const connack5 = [
  [0x80, 'broker-refused-unexplained'],
  [0x81, 'connect-malformed'],
  [0x82, 'protocol-error'],
  [0x84, 'protocol-version-unsupported'],
  [0x85, 'client-id-invalid'],
  [0x86, 'password-wrong'],
  [0x87, 'connect-denied'],
  [0x88, 'broker-unavailable'],
  [0x89, 'broker-unavailable'],
  [0x8a, 'client-banned'],
  [0x8c, 'auth-method-unsupported'],
  [0x90, 'topic-unsupported'],
  [0x95, 'packet-too-large'],
  [0x97, 'too-many-sessions'],
  [0x9c, 'broker-elsewhere'],
  [0x9d, 'broker-elsewhere'],
  [0x9f, 'address-failing'],
] as const

/** A broker that answers every CONNECT with one code. */
export async function connackScenes(place: Place, harvest: Harvest): Promise<void> {
  for (const [protocol, codes] of [
    ['4', connack3],
    ['5', connack5],
  ] as const) {
    for (const [code, truth] of codes) {
      const answer = protocol === '4' ? [0x20, 2, 0, code] : [0x20, 3, 0, code, 0]
      const broker = await listen((socket) => socket.once('data', () => socket.end(Buffer.from(answer))))
      for (const [by, command] of mqttCommands(place, broker.port, protocol)) {
        harvest.take(by, 'client', { truth: [truth] }, await runClient(command, null))
      }
      broker.close()
    }
  }
  await sessionScenes(place, harvest)
}

/** A broker that lets everybody in and then refuses or ends what they do. */
async function sessionScenes(place: Place, harvest: Harvest): Promise<void> {
  for (const [protocol, truth, connack, suback] of [
    ['4', 'subscribe-denied', [0x20, 2, 0, 0], 0x80],
    ['5', 'subscribe-denied', [0x20, 3, 0, 0, 0], 0x87],
  ] as const) {
    const broker = await listen((socket) => {
      socket.on('data', (bytes) => {
        if (bytes[0] === 0x10) socket.write(Buffer.from(connack))
        const at = bytes.findIndex((byte, index) => byte === 0x82 && index < 3)
        if (at < 0) return
        const id = [bytes[at + 2] ?? 0, bytes[at + 3] ?? 1]
        socket.write(Buffer.from(protocol === '4' ? [0x90, 3, ...id, suback] : [0x90, 4, ...id, 0, suback]))
      })
    })
    for (const [by, command] of mqttCommands(place, broker.port, protocol)) {
      const subscribing =
        command[0] === 'mosquitto_pub'
          ? ['mosquitto_sub', ...command.slice(1, -4), '-W', '2', '-t', 'plant/all']
          : command
      harvest.take(by, 'client', { truth: [truth] }, await runClient(subscribing, null))
    }
    broker.close()
  }
  for (const [reason, truth] of [
    [0x8e, 'session-taken-over'],
    [0x8d, 'keep-alive-timeout'],
    [0x98, 'broker-ended-session'],
    [0x8b, 'hub-stopping'],
    [0x93, 'protocol-error'],
    [0x99, 'protocol-error'],
  ] as const) {
    const broker = await listen((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from([0x20, 3, 0, 0, 0]))
        setTimeout(() => socket.end(Buffer.from([0xe0, 2, reason, 0])), 200)
      })
    })
    for (const [by, command] of mqttCommands(place, broker.port, '5')) {
      const subscribing =
        command[0] === 'mosquitto_pub'
          ? ['mosquitto_sub', ...command.slice(1, -4), '-W', '2', '-t', 'plant/all']
          : command
      harvest.take(by, 'client', { truth: [truth] }, await runClient(subscribing, null))
    }
    broker.close()
  }
}

function mqttCommands(
  place: Place,
  port: number,
  protocol: '4' | '5',
): readonly (readonly [string, readonly string[]])[] {
  const arguments_ = ['localhost', String(port), '', '', '', '', 'localhost', protocol]
  const version = protocol === '5' ? 'mqttv5' : 'mqttv311'
  return [
    [
      'mosquitto_pub 2.0.11',
      ['mosquitto_pub', '-d', '-h', 'localhost', '-p', String(port), '-V', version, '-i', 'x', '-t', 'x', '-m', 'x'],
    ],
    ['Paho for Python 1.6', ['/usr/bin/python3', join(place.programs, 'paho_client.py'), ...arguments_]],
    ['MQTT.js 5 on Node 24', [process.execPath, join(place.programs, 'node-client.mjs'), ...arguments_]],
    ['Paho for C 1.3', [join(place.built, 'paho'), `tcp://localhost:${port}`, '', '', '', protocol]],
    ...(ownPython === undefined
      ? []
      : [
          ['Paho for Python 2', [ownPython, join(place.programs, 'paho_client.py'), ...arguments_]] as const,
          ['aws-crt', [ownPython, join(place.programs, 'aws_client.py'), ...arguments_]] as const,
        ]),
  ]
}

async function listen(serve: (socket: Socket) => void): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
