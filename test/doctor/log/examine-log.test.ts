import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { failureNames } from '../../../src/core/failure/catalogue.ts'
import { limits } from '../../../src/core/limits.ts'
import { examineLogText } from '../../../src/doctor/log/examine-log.ts'
import { documentedLines } from './documented-lines.ts'
import { type GatheredLine, readLines } from './gather/harvest.ts'

const folder = join(import.meta.dirname, 'lines')
const gathered: readonly GatheredLine[] = globSync('*.ndjson', { cwd: folder }).flatMap((file) =>
  readLines(join(folder, file)),
)

/** Codes with their certainty, an array for each examination. */
function told(text: string): readonly (readonly string[])[] {
  return examineLogText(text).map(({ findings }) => findings.map(({ code, certainty }) => `${code} ${certainty}`))
}

test('the number of mbedTLS that hides an alert is told by the line beside it that has the alert', () => {
  const log = [
    'ssl_msg.c:4698: |2| 0x7f5c2ad08180: got an alert message, type: [2:45]',
    'ssl_msg.c:4705: |1| 0x7f5c2ad08180: is a fatal alert message (msg 45)',
    'ssl_cli.c:4161: |1| 0x7f5c2ad08180: mbedtls_ssl_read_record() returned -30592 (-0x7780)',
    '  ! mbedtls_ssl_handshake returned -0x7780',
  ].join('\n')
  const [examination, ...others] = examineLogText(log)
  assert.deepEqual(others, [])
  assert.deepEqual(examination?.findings[0]?.code, 'certificate-expired')
  assert.deepEqual(
    examination?.facts.filter(({ name }) => name !== 'program' && name !== 'log of'),
    [
      { name: 'same on', value: 'line 2' },
      { name: 'follows from it', value: 'lines 3, 4' },
    ],
  )
})

test('flags of mbedTLS say why the verification failed, each flag on its own', () => {
  const [examination] = examineLogText(
    'E (4512) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700\nE (4510) esp-tls-mbedtls: Failed to verify peer certificate! verify flags 0x204',
  )
  assert.deepEqual(
    examination?.findings.map(({ code, certainty }) => `${code} ${certainty}`),
    ['hub-name-mismatch certain', 'hub-certificate-not-yet-valid certain'],
  )
})

test('the same words mean another cause in the log of a broker than in that of a device', () => {
  const words = 'error:0A000415:SSL routines::sslv3 alert certificate expired'
  const broker = `1764086400: New connection from 127.0.0.1:50112 on port 8883.\n1764086400: OpenSSL Error[0]: ${words}`
  const device = `Client pump-7 sending CONNECT\nOpenSSL Error[0]: ${words}`
  assert.equal(examineLogText(broker)[0]?.findings[0]?.code, 'hub-certificate-expired')
  assert.equal(examineLogText(device)[0]?.findings[0]?.code, 'certificate-expired')
})

test('words of nobody knows which side make the causes of both sides possible, and none certain', () => {
  const [examination] = examineLogText('certificate has expired')
  assert.deepEqual(
    examination?.findings.map(({ code, certainty }) => `${code} ${certainty}`),
    ['hub-certificate-expired possible', 'certificate-expired possible'],
  )
})

test('a log in which lines of both sides stand makes no side of it', () => {
  const log = 'curl: (56) Recv failure\nClient connection from 127.0.0.1 failed\ncertificate has expired'
  const last = examineLogText(log).at(-1)
  assert.ok(last?.findings.every(({ certainty }) => certainty === 'possible'))
})

test('lines that say the same are told once', () => {
  const line = 'verify error:num=10:certificate has expired'
  const [examination, ...others] = examineLogText(Array(12).fill(line).join('\n'))
  assert.deepEqual(others, [])
  assert.equal(examination?.subject, 'line 1')
  assert.deepEqual(examination?.facts.at(-1), { name: 'same on', value: 'lines 2, 3, 4, 5, 6 and 6 more' })
})

test('a vague line beside another cause is not taken for a part of it', () => {
  const log = [
    'Client connection from 10.0.0.8 failed: error:0A0000C1:SSL routines::no shared cipher.',
    'Client connection from 10.0.0.9 failed: error:0A000086:SSL routines::certificate verify failed.',
  ].join('\n')
  assert.equal(told(log).length, 2)
})

test('all eleven causes that Mosquitto tells by two lines are named as possible', () => {
  const log = [
    '1764086400: New connection from 127.0.0.1:50112 on port 8883.',
    '1764086400: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed',
    '1764086400: Client <unknown> disconnected: Protocol error.',
  ].join('\n')
  const [findings, ...others] = told(log)
  assert.deepEqual(others, [])
  for (const code of [
    'certificate-expired',
    'certificate-not-yet-valid',
    'certificate-foreign-authority',
    'certificate-intermediate-missing',
    'certificate-self-signed',
    'certificate-wrong-usage',
    'certificate-revoked',
    'broker-crl-ended',
    'broker-crl-missing',
    'broker-crl-not-yet-valid',
    'certificate-key-weak',
    'certificate-hash-weak',
  ]) {
    assert.ok(findings?.includes(`${code} possible`), code)
  }
})

test('what is known names failures that there are, quotes what was said, and says what to do', () => {
  for (const { findings } of gathered.flatMap(({ line }) => examineLogText(line))) {
    for (const { code, evidence, cure } of findings) {
      assert.ok(failureNames.includes(code))
      assert.match(evidence, /\S[^.]$/)
      assert.match(cure, /\S/)
    }
  }
})

test('of a text nothing is repeated but the words that are known', () => {
  const marker = 'S3cr3tMarker9xQ'
  const secrets = [
    (line: string) => `password=${marker} ${line}`,
    (line: string) => `${line} --pw ${marker}`,
    (line: string) => `mqtts://pump:${marker}@broker/ ${line} ${marker}`,
    (line: string) => `${marker} ${line}\n-----BEGIN PRIVATE KEY-----\n${marker}\n`,
  ]
  for (const { line } of gathered.filter((_, index) => index % 5 === 0)) {
    for (const plant of secrets) assert.ok(!JSON.stringify(examineLogText(plant(line))).includes(marker), line)
  }
  for (const text of [marker, `Authorization: Bearer ${marker}`, `HF1.${marker}`]) {
    assert.ok(!JSON.stringify(examineLogText(text)).includes(marker))
  }
})

test('a line that was cut off at any length does not make the decoder throw, nor certain of another cause', () => {
  for (const { line, truths } of gathered.filter((_, index) => index % 4 === 0)) {
    const whole: ReadonlySet<string> = new Set(truths.flatMap((truth) => truth.split('|')))
    for (let length = 0; length < line.length; length += 3) {
      for (const { code, certainty } of examineLogText(line.slice(0, length)).flatMap(({ findings }) => findings)) {
        if (certainty === 'certain' && code !== 'log-line-unknown') assert.ok(whole.has(code), line.slice(0, length))
      }
    }
  }
  for (const [line] of Object.values(documentedLines).flat()) {
    for (let length = 0; length < line.length; length += 3) examineLogText(line.slice(0, length))
  }
})

test('no text makes the decoder throw', () => {
  const pieces = fc.oneof(
    fc.constantFrom(...gathered.map(({ line }) => line)),
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom('\n', '\r\n', '\u0000', '\u001b[31m', '-0x', 'alert', '"', '['),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      assert.ok(examineLogText(parts.join('')).length > 0)
    }),
    { numRuns: 100 },
  )
})

test('of a long log the last lines are looked at, and no more causes are told than a person reads', () => {
  const last = 'verify error:num=23:certificate revoked'
  const noise = 'a line that says nothing'
  const text = `${Array(limits.doctorLogLinesMax - 1)
    .fill(noise)
    .join('\n')}\n${last}`
  assert.equal(examineLogText(`verify error:num=10:certificate has expired\n${text}`).length, 1)
  const many = gathered.map(({ line }) => `${line}${'\n'.repeat(9)}`).join('\n')
  assert.ok(examineLogText(many).length <= limits.doctorLogExaminationsMax)
})

test('a line of any length costs no more than its beginning', () => {
  const long = `${'a'.repeat(limits.doctorLogLineLengthMax)} verify error:num=10:certificate has expired`
  assert.deepEqual(told(long), [['log-line-unknown certain']])
})

test('a line that several causes make names each of them', () => {
  const codes = (line: string) =>
    told(line)
      .flat()
      .map((each) => each.split(' ')[0])
  const weak = codes('error:0A00018E:SSL routines::ca md too weak')
  assert.ok(weak.includes('hub-certificate-weak') && weak.includes('certificate-hash-weak'))
  assert.ok(codes('failed! mbedtls_x509_crt_parse returned -0x2180').includes('pem-length-short'))
  const unknown = codes('curl: (60) SSL certificate problem: unable to get local issuer certificate')
  assert.deepEqual(unknown, ['hub-untrusted', 'hub-intermediate-missing'])
})

test('a broker that was told no name before the protocol failed is asked first whether TLS came to a plain port', () => {
  const [unnamed] = told('1764086400: Client <unknown> disconnected due to protocol error.')
  assert.equal(unnamed?.[0], 'port-speaks-plain-mqtt possible')
  assert.ok(unnamed?.includes('protocol-error possible'))
  const [named] = told('1764086400: Client pump-7 disconnected due to protocol error.')
  assert.equal(named?.[0], 'protocol-error possible')
})

test('a failure of our catalogue is known by its name as by its number, and a name beside other words is not taken for it', () => {
  assert.deepEqual(told('HF-2108'), [['certificate-revoked certain']])
  for (const name of failureNames) {
    if (name.length > 3) assert.deepEqual(told(name), [[`${name} certain`]], name)
  }
  assert.deepEqual(told('our certificate-revoked counter'), [['log-line-unknown certain']])
})
