// An application without a line about certificates: it goes to one server in every way that there is, and prints what the server
// saw of each. Arguments: ports of the HTTPS server and of the MQTT server.
import http2 from 'node:http2'
import https from 'node:https'
import * as everything from 'node:tls'
import { connect } from 'node:tls'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import mqtt from 'mqtt'
import WebSocket from 'ws'

const [httpsPort, mqttPort] = isMainThread ? process.argv.slice(2).map(Number) : workerData
const url = `https://localhost:${httpsPort}/`

/** Each answers with the fingerprint that the server was shown, or 'none'. */
const ways = {
  tls: () => overTls(connect),
  'tls, as a namespace': () => overTls(everything.connect),
  'tls, as a port and a host': () =>
    overTls((options) => connect(options.port, options.host, { servername: options.servername })),
  https: () => overHttps(),
  'https, kept alive': async () => {
    const agent = new https.Agent({ keepAlive: true })
    const first = await overHttps(agent)
    const second = await overHttps(agent)
    agent.destroy()
    return first === second ? first : `${first} and ${second}`
  },
  http2: () =>
    new Promise((resolve, reject) => {
      const session = http2.connect(url)
      session.on('error', reject)
      const stream = session.request({ ':path': '/' })
      let text = ''
      stream.setEncoding('utf8')
      stream.on('data', (part) => {
        text += part
      })
      stream.on('end', () => {
        session.close()
        resolve(text)
      })
    }),
  fetch: async () => (await fetch(url)).text(),
  ws: () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://localhost:${httpsPort}/`)
      socket.on('error', reject)
      socket.on('message', (data) => {
        resolve(String(data))
        socket.close()
      })
    }),
  WebSocket: () =>
    new Promise((resolve, reject) => {
      const socket = new globalThis.WebSocket(url.replace('https', 'wss'))
      socket.onerror = (event) => reject(event.error)
      socket.onmessage = ({ data }) => {
        resolve(String(data))
        socket.close()
      }
    }),
  'MQTT.js': async () => {
    const client = await mqtt.connectAsync(`mqtts://localhost:${mqttPort}`, { reconnectPeriod: 0 })
    await client.endAsync()
    return 'see the server'
  },
}

function overTls(open) {
  return new Promise((resolve, reject) => {
    const socket = open({ port: httpsPort, host: 'localhost', servername: 'localhost' })
    socket.on('error', reject)
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'))
    let text = ''
    socket.on('data', (part) => {
      text += part
    })
    socket.on('end', () => resolve(/shown:\w+/.exec(text)?.[0]))
  })
}

function overHttps(agent) {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { agent }, (answer) => {
      let text = ''
      answer.on('data', (part) => {
        text += part
      })
      answer.on('end', () => resolve(text))
    })
    request.on('error', reject)
  })
}

if (isMainThread) {
  const saw = {}
  for (const [name, go] of Object.entries(ways)) saw[name] = await go().catch((error) => String(error.cause ?? error))
  const worker = new Worker(new URL(import.meta.url), { workerData: [httpsPort, mqttPort] })
  saw['fetch in a worker thread'] = await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  process.stdout.write(JSON.stringify(saw))
} else {
  parentPort.postMessage(await ways.fetch().catch((error) => String(error.cause ?? error)))
}
