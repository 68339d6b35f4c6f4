import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { decodePem } from '../../../src/core/x509/pem.ts'
import {
  acme,
  authority,
  crlOf,
  examined,
  type Files,
  goodConfiguration,
  keyPem,
  nowSec,
  server,
  serverCertificate,
} from './bed.ts'

const daySec = 86_400
const open = 'listener 1883\nallow_anonymous true\nacl_file /m/acl\n'

interface Case {
  readonly says: string
  readonly code: FailureName
  readonly configuration: string
  readonly files?: Files
  /** Where it stands, as in "mosquitto.conf:3". */
  readonly at?: string
  readonly severity?: 'fault' | 'warning' | 'note'
}

const cases: readonly Case[] = [
  {
    says: 'a name that is none',
    code: 'mosquitto-option-unknown',
    configuration: goodConfiguration({}, 'requre_certificate true'),
    at: 'mosquitto.conf:9',
  },
  {
    says: 'a line that a tab begins',
    code: 'mosquitto-option-unknown',
    configuration: goodConfiguration({}, '\tport 1'),
    at: 'mosquitto.conf:9',
  },
  {
    says: 'an equals sign',
    code: 'mosquitto-option-unknown',
    configuration: goodConfiguration({ require: 'require_certificate=true' }),
    at: 'mosquitto.conf:6',
  },
  {
    says: 'a flag that is neither true nor false',
    code: 'mosquitto-value-invalid',
    configuration: goodConfiguration({ require: 'require_certificate yes' }),
    at: 'mosquitto.conf:6',
  },
  {
    says: 'a TLS version without its letters',
    code: 'mosquitto-value-invalid',
    configuration: goodConfiguration({}, 'tls_version 1.2'),
  },
  {
    says: 'a comment behind a path',
    code: 'mosquitto-value-invalid',
    configuration: goodConfiguration({ acl: 'acl_file /m/acl # ours' }),
  },
  {
    says: 'a listener without a port',
    code: 'mosquitto-value-invalid',
    configuration: goodConfiguration({ listener: 'listener 88830' }),
  },
  {
    says: 'a path that stands twice',
    code: 'mosquitto-option-repeated',
    configuration: goodConfiguration({}, 'cafile /m/ca.pem'),
    at: 'mosquitto.conf:9',
  },
  {
    says: 'TLS above the listener',
    code: 'mosquitto-setting-misplaced',
    configuration: `${goodConfiguration({ listener: null })}listener 8883\n`,
    at: 'mosquitto.conf:1',
  },
  {
    says: 'rights above the listener, each of which has its own',
    code: 'mosquitto-setting-misplaced',
    configuration: `per_listener_settings true\n${goodConfiguration({ acl: null, listener: 'acl_file /m/acl\nlistener 8883' })}`,
    at: 'mosquitto.conf:2',
  },
  {
    says: 'the mode behind what it changes',
    code: 'mosquitto-per-listener-late',
    configuration: goodConfiguration({}, 'per_listener_settings true'),
    at: 'mosquitto.conf:9',
  },
  {
    says: 'a file that is not there',
    code: 'mosquitto-file-missing',
    configuration: goodConfiguration({ crlfile: 'crlfile /m/none.pem' }),
    at: 'mosquitto.conf:5',
  },
  {
    says: 'a folder that is not there',
    code: 'mosquitto-file-missing',
    configuration: goodConfiguration({}, 'include_dir /m/conf.d'),
  },
  {
    says: 'a folder whose files have another ending',
    code: 'mosquitto-included-out',
    configuration: goodConfiguration({}, 'include_dir /m/conf.d'),
    files: { '/m/conf.d/tls.txt': 'x' },
    severity: 'warning',
  },
  {
    says: 'a key that root alone may read',
    code: 'mosquitto-file-unreadable-by-broker',
    configuration: goodConfiguration(),
    files: { '/m/server.key': { content: keyPem(server), mode: 0o600 } },
    at: 'mosquitto.conf:3',
  },
  {
    says: 'a key that everybody may read',
    code: 'mosquitto-secret-file-open',
    configuration: goodConfiguration(),
    files: { '/m/server.key': { content: keyPem(server), mode: 0o644 } },
    severity: 'warning',
  },
  { says: 'no listener at all', code: 'mosquitto-local-only', configuration: 'persistence true\n' },
  {
    says: 'no listener beside a bridge',
    code: 'mosquitto-local-only',
    configuration: 'connection hub\naddress hub.example:8883\nbridge_capath /m/certs\nremote_clientid edge\n',
    severity: 'note',
  },
  { says: 'anybody let in', code: 'mosquitto-anonymous', configuration: open, at: 'mosquitto.conf:2' },
  {
    says: 'anybody let in at another listener, since the setting is for all',
    code: 'mosquitto-anonymous',
    configuration: goodConfiguration({}, 'listener 1883', 'allow_anonymous true'),
  },
  {
    says: 'names that nobody proves',
    code: 'mosquitto-name-unproven',
    configuration: open,
    files: { '/m/acl': 'user admin\ntopic readwrite plant/#\n' },
  },
  {
    says: 'names that a certificate does not prove',
    code: 'mosquitto-name-unproven',
    configuration: goodConfiguration({ identity: 'allow_anonymous true' }),
  },
  {
    says: 'a certificate demanded where TLS is not on',
    code: 'mosquitto-tls-not-on',
    configuration: goodConfiguration({ certfile: null }),
    at: 'mosquitto.conf:5',
  },
  {
    says: 'revocation that nobody looks at',
    code: 'mosquitto-revocation-unchecked',
    configuration: goodConfiguration({ crlfile: null }),
    severity: 'warning',
  },
  {
    says: 'CRLs that WebSocket does not heed',
    code: 'mosquitto-websockets-ignores',
    configuration: goodConfiguration({}, 'protocol websockets'),
    at: 'mosquitto.conf:5',
  },
  {
    says: 'passwords without TLS',
    code: 'mosquitto-passwords-in-clear',
    configuration: 'listener 1883\npassword_file /m/pw\nacl_file /m/acl\n',
    files: { '/m/pw': '' },
    severity: 'warning',
  },
  {
    says: 'expired certificates taken',
    code: 'mosquitto-dates-unchecked',
    configuration: goodConfiguration({}, 'disable_client_cert_date_checks true'),
  },
  {
    says: 'old TLS',
    code: 'mosquitto-tls-too-old',
    configuration: goodConfiguration({}, 'tls_version tlsv1.1'),
    severity: 'warning',
  },
  {
    says: 'disabled clients of the plugin',
    code: 'mosquitto-dynsec-certificate',
    configuration: goodConfiguration({}, 'plugin /usr/lib/mosquitto_dynamic_security.so'),
    severity: 'warning',
  },
  { says: 'nobody let in', code: 'mosquitto-nobody-admitted', configuration: 'listener 1883\nacl_file /m/acl\n' },
  {
    says: 'nobody let in although all show certificates',
    code: 'mosquitto-nobody-admitted',
    configuration: goodConfiguration({ identity: null }),
  },
  {
    says: 'names from certificates that nobody is asked for',
    code: 'mosquitto-certificate-not-requested',
    configuration: goodConfiguration({ require: null }),
    at: 'mosquitto.conf:6',
  },
  {
    says: 'no authority',
    code: 'mosquitto-anchors-missing',
    configuration: goodConfiguration({ cafile: null, crlfile: null }),
    at: 'mosquitto.conf:4',
  },
  {
    says: 'a folder without hashes',
    code: 'mosquitto-capath-unhashed',
    configuration: goodConfiguration({ cafile: 'capath /m/cas', crlfile: null }),
    files: { '/m/cas/ca.pem': acme.pem },
  },
  {
    says: 'a leaf in place of an authority',
    code: 'mosquitto-anchors-empty',
    configuration: goodConfiguration({ crlfile: null }),
    files: { '/m/ca.pem': server.pem },
  },
  {
    says: 'a file of authorities without any',
    code: 'mosquitto-anchors-empty',
    configuration: goodConfiguration({ crlfile: null }),
    files: { '/m/ca.pem': 'nothing' },
  },
  {
    says: 'an authority that has expired',
    code: 'mosquitto-anchor-expired',
    configuration: goodConfiguration({ crlfile: null }),
    files: { '/m/ca.pem': authority('Old', { notBeforeSec: 1, notAfterSec: nowSec - 1 }).pem },
  },
  {
    says: 'TLS 1.3 alone',
    code: 'mosquitto-newest-tls-only',
    configuration: goodConfiguration({}, 'tls_version tlsv1.3'),
    severity: 'warning',
  },
  {
    says: 'ciphers for RSA and a key that is none',
    code: 'mosquitto-ciphers-unfit',
    configuration: goodConfiguration({}, 'ciphers ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384'),
  },
  {
    says: 'a key with a passphrase',
    code: 'mosquitto-key-encrypted',
    configuration: goodConfiguration(),
    files: {
      '/m/server.key': server.privateKey
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' })
        .toString(),
    },
  },
  {
    says: 'a key of another certificate',
    code: 'key-certificate-mismatch',
    configuration: goodConfiguration(),
    files: { '/m/server.key': keyPem(acme) },
    at: 'mosquitto.conf:3',
  },
  {
    says: 'a certificate in place of the key',
    code: 'credential-file-unreadable',
    configuration: goodConfiguration(),
    files: { '/m/server.key': server.pem },
  },
  {
    says: 'a server certificate that has expired',
    code: 'hub-certificate-expired',
    configuration: goodConfiguration({ keyfile: 'keyfile /m/none' }),
    files: { '/m/server.pem': serverCertificate(acme, { dates: { notBeforeSec: 1, notAfterSec: nowSec - 5 } }).pem },
    at: 'mosquitto.conf:2',
  },
  {
    says: 'a server certificate of tomorrow',
    code: 'hub-certificate-not-yet-valid',
    configuration: goodConfiguration(),
    files: {
      '/m/server.pem': serverCertificate(acme, { dates: { notBeforeSec: nowSec + 5, notAfterSec: nowSec + daySec } })
        .pem,
    },
  },
  {
    says: 'a server certificate near its end',
    code: 'server-certificate-ends-soon',
    configuration: goodConfiguration(),
    files: {
      '/m/server.pem': serverCertificate(acme, { dates: { notBeforeSec: 1, notAfterSec: nowSec + daySec } }).pem,
    },
    severity: 'warning',
  },
  {
    says: 'a certificate of a client for the server',
    code: 'hub-certificate-wrong-usage',
    configuration: goodConfiguration(),
    files: { '/m/server.pem': serverCertificate(acme, { usage: oids.clientAuth }).pem },
  },
  {
    says: 'a server certificate with a common name alone',
    code: 'server-certificate-nameless',
    configuration: goodConfiguration(),
    files: { '/m/server.pem': serverCertificate(acme, { names: [] }).pem },
  },
  {
    says: 'a listener that is bound to loopback',
    code: 'mosquitto-loopback-only',
    configuration: goodConfiguration({ listener: 'listener 8883 127.0.0.1' }),
    severity: 'note',
  },
  {
    says: 'a CRL that was not replaced',
    code: 'broker-crl-ended',
    configuration: goodConfiguration(),
    files: { '/m/crl.pem': crlOf(acme, nowSec - 9 * daySec, nowSec - 2 * daySec) },
    at: 'mosquitto.conf:5',
  },
  {
    says: 'a CRL of tomorrow',
    code: 'broker-crl-not-yet-valid',
    configuration: goodConfiguration(),
    files: { '/m/crl.pem': crlOf(acme, nowSec + daySec, nowSec + 2 * daySec) },
  },
  {
    says: 'a CRL near its end',
    code: 'broker-crl-ends-soon',
    configuration: goodConfiguration(),
    files: { '/m/crl.pem': crlOf(acme, nowSec - 9 * daySec, nowSec + daySec) },
    severity: 'warning',
  },
  {
    says: 'a CRL of somebody else',
    code: 'broker-crl-missing',
    configuration: goodConfiguration(),
    files: { '/m/crl.pem': crlOf(authority('Other')) },
  },
  {
    says: 'a CRL in DER',
    code: 'broker-crl-unreadable',
    configuration: goodConfiguration(),
    files: { '/m/crl.pem': decodePem(crlOf(acme))[0]?.der ?? '' },
  },
  {
    says: 'a CRL that an impostor has signed',
    code: 'broker-crl-unsigned',
    configuration: goodConfiguration(),
    files: { '/m/crl.pem': crlOf(acme, nowSec - 1, nowSec + daySec, authority('ACME')) },
  },
  {
    says: 'no access list',
    code: 'mosquitto-acl-absent',
    configuration: goodConfiguration({ acl: null }),
    severity: 'warning',
  },
  {
    says: 'a word that is no access',
    code: 'mosquitto-acl-unreadable',
    configuration: goodConfiguration(),
    files: { '/m/acl': 'topic writ a/b\n' },
    at: 'acl:1',
  },
  {
    says: 'a comment behind a topic',
    code: 'mosquitto-acl-unreadable',
    configuration: goodConfiguration(),
    files: { '/m/acl': 'topic read a/# # all\n' },
  },
  {
    says: 'topics by the client id',
    code: 'mosquitto-acl-client-id',
    configuration: goodConfiguration(),
    files: { '/m/acl': '# ours\npattern write devices/%c/#\n' },
    at: 'acl:2',
  },
  {
    says: 'every topic for everybody',
    code: 'mosquitto-acl-for-everyone',
    configuration: goodConfiguration(),
    files: { '/m/acl': 'pattern readwrite #\n' },
  },
  {
    says: 'topics for those without a name',
    code: 'mosquitto-acl-for-everyone',
    configuration: open,
    files: { '/m/acl': 'topic write plant/+/state\n' },
  },
  {
    says: 'every topic for one',
    code: 'mosquitto-acl-everything',
    configuration: goodConfiguration(),
    files: { '/m/acl': 'user admin\ntopic #\n' },
    severity: 'warning',
  },
  {
    says: 'a node that may speak as every other',
    code: 'mosquitto-acl-sparkplug',
    configuration: goodConfiguration(),
    files: { '/m/acl': 'user MyEACM\ntopic read STATE/+\ntopic readwrite spBv1.0/#\n' },
    at: 'acl:3',
  },
  {
    says: 'a node that may speak as those of its group',
    code: 'mosquitto-acl-sparkplug',
    configuration: goodConfiguration(),
    files: { '/m/acl': 'user e1\ntopic write spBv1.0/plant/NDATA/+\n' },
  },
  {
    says: 'a password that is no hash',
    code: 'mosquitto-password-not-hashed',
    configuration: goodConfiguration({}, 'password_file /m/pw'),
    files: { '/m/pw': 'pump:hunter2\n' },
    at: 'pw:1',
  },
  {
    says: 'pre-shared keys without any',
    code: 'mosquitto-psk-missing',
    configuration: 'listener 8884\npsk_hint plant\nuse_identity_as_username true\nacl_file /m/acl\n',
  },
  {
    says: 'a bridge that looks at no name',
    code: 'mosquitto-bridge-unverified',
    configuration: goodConfiguration(
      {},
      'connection up',
      'address up.example:8883',
      'bridge_cafile /m/ca.pem',
      'bridge_insecure true',
    ),
    at: 'mosquitto.conf:12',
  },
  {
    says: 'a bridge that shows its password',
    code: 'mosquitto-bridge-in-clear',
    configuration: goodConfiguration({}, 'connection up', 'address up.example:1883', 'remote_password hunter2'),
    severity: 'warning',
  },
  {
    says: 'a bridge that speaks without TLS to a port of TLS',
    code: 'plain-mqtt-on-tls-port',
    configuration: goodConfiguration({}, 'connection up', 'address up.example:8883'),
  },
]

for (const { says, code, configuration, files = {}, at, severity = 'fault' } of cases) {
  test(`${says} is found as ${code}`, () => {
    const { findings } = examined(configuration, files)
    const found = findings.find(
      (each) => each.code === code && each.severity === severity && each.subject.endsWith(at ?? ''),
    )
    assert.ok(found !== undefined, JSON.stringify(findings, null, 1))
  })
}

test('in a configuration that is as it should be nothing is found', () => {
  assert.deepEqual(examined(goodConfiguration()).findings, [])
})

test('authorities of the web are no authorities of devices', () => {
  const many = Array.from({ length: 21 }, (_, n) => authority(`Web ${n}`).pem).join('')
  const { findings } = examined(goodConfiguration({ crlfile: null }), { '/m/ca.pem': many })
  assert.ok(findings.some(({ code }) => code === 'mosquitto-anchors-too-wide'))
})

test('a root above the authority that issues the devices needs no CRL of its own', () => {
  const below = authority('Issuing', undefined, acme)
  const { findings } = examined(goodConfiguration(), { '/m/ca.pem': acme.pem + below.pem, '/m/crl.pem': crlOf(below) })
  assert.deepEqual(findings, [])
})

test('the exact topics of an edge node, and those of a host, are no finding', () => {
  const node = ['NBIRTH', 'NDATA', 'NDEATH'].map((type) => `topic write spBv1.0/plant/${type}/e1`)
  const host = ['topic write spBv1.0/+/NCMD/+', 'topic write spBv1.0/+/DCMD/+/+', 'topic read spBv1.0/#']
  const acl = ['user e1', ...node, 'topic write spBv1.0/plant/DDATA/e1/+', 'user hmi', ...host, ''].join('\n')
  assert.deepEqual(examined(goodConfiguration(), { '/m/acl': acl }).findings, [])
})

test('a configuration of another machine is read for what stands in it', () => {
  const { findings } = examined(goodConfiguration({ cafile: 'cafile C:\\certs\\ca.pem', crlfile: null }))
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [
      ['mosquitto-revocation-unchecked', 'warning'],
      ['mosquitto-file-missing', 'note'],
    ],
  )
})

test('client ids that are taken from the name may give topics', () => {
  const configuration = goodConfiguration({}, 'use_username_as_clientid true')
  assert.deepEqual(examined(configuration, { '/m/acl': 'pattern write devices/%c/#\n' }).findings, [])
})

test('what stands in an included file is told by that file', () => {
  const folder = {
    '/m/conf.d/b.conf': 'allow_anonymous true\nacl_file /m/acl\n',
    '/m/conf.d/a.conf': 'listener 1883\n',
  }
  const { findings } = examined('include_dir /m/conf.d\n', { ...folder, '/m/acl': 'topic read news\n' })
  assert.deepEqual(
    findings.map(({ code, subject }) => [code, subject]),
    [['mosquitto-anonymous', '/m/conf.d/b.conf:1']],
  )
})

test('where the user of the broker is not known, nothing is said of what it may read', () => {
  const files = { '/m/server.key': { content: keyPem(server), mode: 0o600 } }
  assert.deepEqual(examined(goodConfiguration(), files, null).findings, [])
})

test('no password, key or passphrase is ever shown', () => {
  const marker = 'MARKER7f3a'
  const key = keyPem(server)
  const files = {
    '/m/pw': `pump:${marker}\n${marker}\n`,
    '/m/psk': `pump:${marker}\n`,
    '/m/server.key': `${key}\n${marker}`,
  }
  const more = [
    'password_file /m/pw',
    'psk_file /m/psk',
    'connection up',
    'address up.example',
    `remote_password ${marker}`,
  ]
  const text = JSON.stringify(examined(goodConfiguration({}, ...more), files))
  assert.ok(!text.includes(marker), text)
  for (const line of key.split('\n').filter((each) => each.length > 20 && !each.startsWith('-')))
    assert.ok(!text.includes(line))
})

test('no line that anybody writes ends the examination', () => {
  const word = fc.constantFrom(
    'listener',
    'cafile',
    'topic',
    'user',
    'pattern',
    'include_dir',
    'connection',
    '8883',
    '#',
    '%c',
    '/m/acl',
  )
  const line = fc
    .array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 12 })), { maxLength: 5 })
    .map((words) => words.join(' '))
  const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(text, text, text, (configuration, acl, passwords) => {
      const more = ['acl_file /m/acl', 'password_file /m/pw'].join('\n')
      examined(`${configuration}\nlistener 8883\n${more}\n`, { '/m/acl': acl, '/m/pw': passwords })
    }),
  )
})

test('no file that is cut short, at any length, ends the examination', () => {
  const files: Files = { '/m/pw': 'a:$7$101$AAAA$BBBB\nb:x\n' }
  const configuration = goodConfiguration({}, 'password_file /m/pw', 'connection up', 'address up.example:8883')
  const crl = crlOf(acme)
  for (const [path, whole] of [
    ['/m/ca.pem', acme.pem],
    ['/m/server.pem', server.pem],
    ['/m/server.key', keyPem(server)],
    ['/m/crl.pem', crl],
    ['/m/acl', 'user a\ntopic read b/#\n'],
  ] as const) {
    for (let length = 0; length < whole.length; length += whole.length > 200 ? 7 : 1) {
      examined(configuration, { ...files, [path]: whole.slice(0, length) })
    }
  }
  for (let length = 0; length < configuration.length; length++) examined(configuration.slice(0, length), files)
})

test('a name that is a slip away from an option, or the beginning of one alone, is told with that option', () => {
  const cureOf = (line: string) =>
    examined(goodConfiguration({}, line)).findings.find(({ code }) => code === 'mosquitto-option-unknown')?.cure
  assert.equal(cureOf('use_identity_as_user true'), 'write use_identity_as_username')
  assert.equal(cureOf('alow_anonymous false'), 'write allow_anonymous')
  // Several options begin with it.
  assert.doesNotMatch(cureOf('bridge_max_ 1') ?? '', /^write /)
})
