import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settleListeners } from '../../src/config/listeners.ts'
import { settingsFromYaml } from '../../src/config/sources.ts'
import { defaultListener, type ListenerSettings } from '../../src/core/listener/listener-settings.ts'

/** What the file makes of them, or what is wrong with it. */
function read(yaml: string): { readonly all: readonly ListenerSettings[]; readonly problems: readonly string[] } {
  const { listeners = [], problems } = settingsFromYaml(yaml, '/etc/handfast.yaml')
  const found = [...problems]
  const all = settleListeners(listeners, '0.0.0.0', 8883, found)
  return { all, problems: found }
}

function problemOf(yaml: string): string {
  const { problems } = read(yaml)
  assert.equal(problems.length, 1, problems.join('\n'))
  return problems[0] ?? ''
}

const entry = (lines: string): string => `listeners:\n  - name: lab\n    port: 8884\n${lines}`

describe('listeners of the settings file', () => {
  test('without any there is the usual one', () => {
    assert.deepEqual(read('host: 0.0.0.0\n'), { all: [defaultListener('0.0.0.0', 8883)], problems: [] })
  })

  test('stand behind the usual one, and what they leave out is as there', () => {
    const { all, problems } = read(entry(''))
    assert.deepEqual(problems, [])
    assert.deepEqual(all, [defaultListener('0.0.0.0', 8883), { ...defaultListener('0.0.0.0', 8884), name: 'lab' }])
  })

  test('say all that a listener may be told', () => {
    const { all, problems } = read(`listeners:
  - name: lab
    host: 127.0.0.1
    port: 0
    client-certificate: optional
    anchors: [acme]
    tls-versions: [1.3]
    websocket: {path: /mqtt, origins: ['https://dash.plant.example']}
    proxy-protocol: [10.0.0.0/8, 'fd00::/8']
    connections: 500
`)
    assert.deepEqual(problems, [])
    assert.deepEqual(all[1], {
      name: 'lab',
      host: '127.0.0.1',
      port: 0,
      clientCertificate: 'optional',
      anchors: ['acme'],
      tlsVersions: ['1.3'],
      alpn: null,
      websocket: { path: '/mqtt', origins: ['https://dash.plant.example'] },
      proxyProtocol: { networks: ['10.0.0.0/8', 'fd00::/8'] },
      limits: { connectionsMax: 500 },
    })
  })

  test('an entry of the name mqtt says how the usual one works, not where it stands', () => {
    const { all, problems } = read('listeners:\n  - name: mqtt\n    alpn: [mqtt]\n')
    assert.deepEqual(problems, [])
    assert.deepEqual(all, [{ ...defaultListener('0.0.0.0', 8883), alpn: ['mqtt'] }])
    assert.match(problemOf('listeners:\n  - name: mqtt\n    port: 1883\n'), /mqtt-port/)
  })

  test('a mistake is named with its line and the nearest word', () => {
    const problem = problemOf(entry('    client-certificat: none\n'))
    assert.match(problem, /handfast\.yaml, line 4/)
    assert.match(problem, /did you mean "client-certificate"\?/)
    assert.match(problemOf('listner:\n  - name: a\n'), /did you mean "listeners"\?/)
  })

  test('a value that is no text is shown as it would be written', () => {
    assert.match(problemOf(entry('    tls-versions: ["1.1"]\n')), /: \["1\.1"\] is not a list of 1\.2 and 1\.3/)
    assert.match(problemOf(entry('    websocket: {pth: /mqtt}\n')), /: \{"pth":"\/mqtt"\} is not a path/)
    assert.match(problemOf(entry('    client-certificate: optinal\n')), /did you mean "optional"\?$/)
  })

  for (const [name, lines, said] of [
    ['a mode that there is not', 'client-certificate: maybe', /"maybe" is not one of required, optional, none/],
    ['a version of TLS that is not served', 'tls-versions: [1.1]', /not a list of 1\.2 and 1\.3/],
    ['no version at all', 'tls-versions: []', /not a list of 1\.2 and 1\.3/],
    ['a network with bits behind its mask', 'proxy-protocol: [10.0.0.1/8]', /not a list of networks/],
    ['a path that is none', 'websocket: mqtt', /not a path/],
    ['an origin with a path', "websocket: {path: /mqtt, origins: ['https://a.example/x']}", /not a path/],
    ['a count of zero', 'connections: 0', /"?0"? is not a number from 1/],
    ['a host that is none', 'host: "a b"', /not a host name/],
    [
      'anchors where no certificate is asked for',
      'client-certificate: none\n    anchors: [acme]',
      /anchors mean nothing/,
    ],
    ['ALPN on a WebSocket', 'websocket: /mqtt\n    alpn: [mqtt]', /leave out alpn/],
  ] as const) {
    test(`refuse ${name}`, () => {
      assert.match(problemOf(entry(`    ${lines}\n`)), said)
    })
  }

  test('refuse to have no port, no name, the name of another one, or its address', () => {
    assert.match(problemOf('listeners:\n  - name: lab\n'), /has no port/)
    assert.match(problemOf('listeners:\n  - port: 1\n'), /has no name/)
    assert.match(problemOf('listeners:\n  - {name: a, port: 1}\n  - {name: a, port: 2}\n'), /the name "a" of the one/)
    assert.match(problemOf('listeners:\n  - {name: a, port: 8883}\n'), /"mqtt" and "a" have the same/)
    assert.match(problemOf('listeners:\n  - {name: est, port: 1}\n'), /another listener of the hub/)
  })

  test('refuse to be anything but a list, and a short one', () => {
    assert.match(problemOf('listeners: 8884\n'), /is not a list of listeners/)
    assert.match(problemOf('listeners: [8884]\n'), /is not of the form/)
    const many = Array.from({ length: 33 }, (_, index) => `  - {name: a${index}, port: ${index + 1}}\n`).join('')
    assert.match(problemOf(`listeners:\n${many}`), /33 entries; 32 are allowed/)
  })
})
