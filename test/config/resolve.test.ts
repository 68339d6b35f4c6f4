import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { HubConfig } from '../../src/config/config.ts'
import { resolveConfig, resolveGateConfig } from '../../src/config/resolve.ts'
import { HubError } from '../../src/core/errors.ts'
import { defaultListener } from '../../src/core/listener/listener-settings.ts'

describe('the configuration of a hub', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'handfast-config-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  interface Given {
    readonly flags?: Readonly<Record<string, unknown>>
    readonly env?: Readonly<Record<string, string>>
    readonly yaml?: string
    readonly file?: string
  }

  function resolved({ flags = {}, env = {}, yaml, file }: Given): HubConfig {
    if (yaml !== undefined) writeFileSync(join(directory, 'handfast.yaml'), yaml)
    return resolveConfig({ flags, env, file: file ?? null, directory })
  }

  function refusal(given: Given): HubError {
    try {
      resolved(given)
    } catch (error) {
      assert.ok(error instanceof HubError, String(error))
      assert.equal(error.code, 'config-invalid')
      return error
    }
    return assert.fail('it was accepted')
  }

  test('names a broker of the operator by addresses, never with a login in them', () => {
    const { broker } = resolved({
      yaml: 'broker: mqtts://a.example, unix:/run/mqtt.sock,mqtt://[::1]:1884\nbroker-login-file: login\n',
    })
    assert.deepEqual(broker.choice, [
      { transport: 'tls', host: 'a.example', port: 8883 },
      { transport: 'unix', path: '/run/mqtt.sock' },
      { transport: 'tcp', host: '::1', port: 1884 },
    ])
    assert.equal(broker.loginFile, join(directory, 'login'))
    const wrong = [
      'http://a',
      'mqtt://',
      'mqtt://a:0',
      'mqtt://a b',
      'unix:relative',
      `unix:/${'x'.repeat(107)}`,
      'mosquito',
      '',
    ]
    for (const text of wrong) {
      assert.match(
        refusal({ flags: { broker: text } }).message,
        /^--broker: .* is not automatic, embedded, mosquitto, or/,
      )
    }
    assert.equal(refusal({ flags: { broker: 'mqtt://u:hunter2@a' } }).message.includes('hunter2'), false)
  })

  test('names the nearest word where a list of words is closed, and never one for a login', () => {
    assert.match(refusal({ flags: { broker: 'mosquito' } }).message, /did you mean "mosquitto"\?$/)
    assert.match(refusal({ flags: { 'log-level': 'wran' } }).message, /did you mean "warn"\?$/)
    assert.doesNotMatch(refusal({ flags: { broker: 'mosquito@x' } }).message, /mosquito@|did you mean/)
  })

  test('says nothing of how to reach a broker that is the own one of the hub', () => {
    assert.match(
      refusal({ flags: { 'broker-ca': 'ca.pem' } }).message,
      /^--broker-ca: it needs the address of a broker/,
    )
    const flags = { broker: 'mqtts://a', 'broker-cert': 'c.pem' }
    assert.match(refusal({ flags }).message, /^--broker-cert: broker-key is missing beside it/)
  })

  test('needs no setting at all', () => {
    assert.deepEqual(resolved({}), {
      dataDirectory: join(directory, 'data'),
      host: '0.0.0.0',
      mqttPort: 8883,
      listeners: [defaultListener('0.0.0.0', 8883)],
      httpsPort: 8443,
      httpPort: 8080,
      publicName: null,
      realm: null,
      readyFile: null,
      apiListen: null,
      gateLink: null,
      metricsListen: null,
      tls: null,
      passphrase: null,
      databaseUrl: null,
      journal: join(directory, 'data', 'journal'),
      registryGraceMinutes: 5,
      journalDays: 90,
      broker: { choice: 'automatic', loginFile: null, caFile: null, tls: null, clientIds: 'prefixed' },
      gates: 1,
      deniedPublish: 'close',
      brokerUserProperties: 'connections',
      sessionTickets: false,
      logLevel: 'info',
    })
  })

  test('takes a flag before the environment, that before the file, that before the default', () => {
    const yaml = 'mqtt-port: 1\nhttps-port: 2\nhttp-port: 3\n'
    const env = { HANDFAST_MQTT_PORT: '11', HANDFAST_HTTPS_PORT: '12' }
    const config = resolved({ yaml, env, flags: { 'mqtt-port': '0' } })
    assert.deepEqual([config.mqttPort, config.httpsPort, config.httpPort], [0, 12, 3])
  })

  test('reads every setting from the file', () => {
    const yaml = [
      'host: "::"',
      'public-name: hub.plant.example',
      'realm: plant.example',
      'ready-file: /run/handfast/ready.json',
      'api-listen: "[::1]:9443"',
      'denied-publish: acknowledge',
      'broker-user-properties: messages',
      'session-tickets: true',
      'log-level: warn',
    ].join('\n')
    const config = resolved({ yaml })
    assert.equal(config.host, '::')
    assert.equal(config.publicName, 'hub.plant.example')
    assert.equal(config.realm, 'plant.example')
    assert.equal(config.readyFile, '/run/handfast/ready.json')
    assert.deepEqual(config.apiListen, { host: '::1', port: 9443 })
    assert.equal(config.deniedPublish, 'acknowledge')
    assert.equal(config.brokerUserProperties, 'messages')
    assert.equal(config.sessionTickets, true)
    assert.equal(config.logLevel, 'warn')
  })

  test('names the nearest setting, the file and the line for a word that is none', () => {
    const { message } = refusal({ yaml: 'host: "::"\nmqtt-prot: 8883\n' })
    assert.match(message, /^"mqtt-prot" in .*handfast\.yaml, line 2 is not a setting; did you mean "mqtt-port"\?$/)
    assert.match(refusal({ yaml: 'mqttPort: 8883\n' }).message, /did you mean "mqtt-port"\?/)
    assert.match(refusal({ yaml: 'passphrase: hunter2\n' }).message, /did you mean "passphrase-file"\?/)
    assert.doesNotMatch(refusal({ yaml: 'colour: red\n' }).message, /did you mean/)
  })

  test('reports all problems of all sources at once, each value quoted', () => {
    const { message } = refusal({
      yaml: 'mqtt-port: 99999\nlog-level: loud\ncolour: red\n',
      env: { HANDFAST_HOST: 'a b', HANDFAST_MQTT_PROT: '1' },
      flags: { 'api-listen': '9443' },
    })
    assert.match(message, /^6 settings are not valid:\n/)
    assert.match(message, /--api-listen: "9443" is not an address of the form host:port/)
    assert.match(message, /HANDFAST_HOST: "a b" is not a host name or an IP address/)
    assert.match(message, /"HANDFAST_MQTT_PROT" in the environment is not a setting; did you mean HANDFAST_MQTT_PORT\?/)
    assert.match(message, /mqtt-port in .*line 1: 99999 is not a port/)
    assert.match(message, /log-level in .*line 2: "loud" is not one of debug/)
    assert.match(message, /"colour" in .*line 3 is not a setting/)
  })

  test('reports a wrong value although a stronger source overrules it', () => {
    assert.match(refusal({ yaml: 'mqtt-port: many\n', flags: { 'mqtt-port': '0' } }).message, /"many"/)
  })

  test('leaves alone what container platforms put into the environment', () => {
    const env = { HANDFAST_PORT: 'tcp://10.0.0.1:8883', HANDFAST_SERVICE_HOST: '10.0.0.1', HANDFAST_KEY: 'k' }
    assert.equal(resolved({ env }).mqttPort, 8883)
  })

  test('takes relative paths from where they were written', () => {
    const config = resolved({ yaml: 'data: hub\n', flags: { 'ready-file': 'ready.json' } })
    assert.equal(config.dataDirectory, join(directory, 'hub'))
    assert.equal(config.readyFile, join(directory, 'ready.json'))
  })

  test('takes the files of a server certificate together or not at all', () => {
    const { tls } = resolved({ flags: { 'tls-cert': 'own.pem' }, env: { HANDFAST_TLS_KEY: '/run/own.key' } })
    assert.match(tls?.certificate ?? '', /^\/.*\/own\.pem$/)
    assert.equal(tls?.key, '/run/own.key')
    assert.match(refusal({ flags: { 'tls-cert': 'own.pem' } }).message, /--tls-cert: tls-key is missing/)
    assert.match(refusal({ env: { HANDFAST_TLS_KEY: 'own.key' } }).message, /HANDFAST_TLS_KEY: tls-cert is missing/)
  })

  test('takes the passphrase from a file or the variable, a flag wins over the variable', () => {
    const env = { HANDFAST_PASSPHRASE: 'correct horse' }
    const passphraseOf = (given: Parameters<typeof resolved>[0]): unknown => {
      const { passphrase } = resolved(given)
      return passphrase !== null && 'value' in passphrase ? passphrase.value.reveal() : passphrase
    }
    assert.equal(passphraseOf({ env }), 'correct horse')
    assert.deepEqual(passphraseOf({ env, flags: { 'passphrase-file': '/run/pass' } }), { file: '/run/pass' })
    assert.equal(passphraseOf({ env, yaml: 'passphrase-file: pass\n' }), 'correct horse')
  })

  test('refuses two passphrases from the environment without repeating either', () => {
    const { message } = refusal({ env: { HANDFAST_PASSPHRASE: 'correct horse', HANDFAST_PASSPHRASE_FILE: '/p' } })
    assert.match(message, /both set/)
    assert.doesNotMatch(message, /correct horse/)
  })

  test('refuses a file that is named and not there, and one that is no YAML', () => {
    assert.match(refusal({ file: 'missing.yaml' }).message, /missing\.yaml" cannot be read: there is no such file/)
    assert.match(refusal({ yaml: 'host: "unclosed\n' }).message, /line [12]: /)
    assert.match(refusal({ yaml: '- host\n' }).message, /not a list of settings/)
    assert.match(refusal({ yaml: 'host: a\nhost: b\n' }).message, /line 2: .*unique/)
  })

  test('an empty file is no file', () => {
    assert.equal(resolved({ yaml: '# nothing yet\n' }).mqttPort, 8883)
  })
})

describe('the configuration of a gate on a machine of its own', () => {
  const flags = { hub: 'hub.plant.example:8447', 'database-url-file': 'url' }
  const given = (more: Partial<Parameters<typeof resolveGateConfig>[0]> = {}) =>
    resolveGateConfig({ flags, env: {}, file: null, directory: '/nonexistent', ...more })

  function refusal(work: () => unknown): string {
    try {
      work()
    } catch (error) {
      assert.ok(error instanceof HubError && error.code === 'config-invalid')
      return error.message
    }
    return assert.fail('it was accepted')
  }

  test('needs its hub and the database, and has defaults for all else', () => {
    const { hub, databaseUrl, dataDirectory, listeners, bootstrapFile } = given()
    assert.deepEqual(hub, { host: 'hub.plant.example', port: 8447 })
    assert.deepEqual(databaseUrl, { file: '/nonexistent/url' })
    assert.equal(dataDirectory, '/nonexistent/gate')
    assert.deepEqual(listeners, [defaultListener('0.0.0.0', 8883)])
    assert.equal(bootstrapFile, null)
    const message = refusal(() => given({ flags: {} }))
    assert.match(message, /hub is missing/)
    assert.match(message, /database-url-file is missing/)
  })

  test('has no settings of a hub, and a hub none of a gate; variables of the other are left alone', () => {
    const directory = mkdtempSync(join(tmpdir(), 'handfast-config-'))
    try {
      writeFileSync(join(directory, 'handfast.yaml'), 'broker: embedded\n')
      assert.match(
        refusal(() => given({ directory })),
        /broker in .*line 1: `handfast gate` has no such setting/,
      )
      writeFileSync(join(directory, 'handfast.yaml'), 'hub: a.example:8447\n')
      const hub = () => resolveConfig({ flags: {}, env: {}, file: null, directory })
      assert.match(refusal(hub), /hub in .*line 1: `handfast up` has no such setting/)
    } finally {
      rmSync(directory, { recursive: true })
    }
    assert.equal(given({ env: { HANDFAST_HTTP_PORT: '8080' } }).hub.port, 8447)
  })

  test('a gate link needs a registry that others can read', () => {
    const flags = { 'gate-link': '0.0.0.0:8447' }
    const hub = () => resolveConfig({ flags, env: {}, file: null, directory: '/nonexistent' })
    assert.match(refusal(hub), /--gate-link: gates on other machines need a registry in PostgreSQL/)
  })
})
