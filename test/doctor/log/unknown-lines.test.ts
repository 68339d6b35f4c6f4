import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examineLogText } from '../../../src/doctor/log/examine-log.ts'

/** Other logs, and lines that nearly say what the decoder knows. */
const unknownLines: readonly string[] = [
  'hello world',
  '',
  '    ',
  'Nov 25 16:00:00 pump-7 systemd[1]: Started Daily apt download activities.',
  '2025-11-25T16:00:00Z INFO request finished in 12 ms status=200 path=/health',
  'kernel: usb 1-1: new high-speed USB device number 5 using xhci_hcd',
  'CRON[4512]: (root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily)',
  'temperature=-273 pressure=1013 flow=0.45',
  'the device was moved to -40 degrees',
  'position -0x100000 of the disk',
  'commit 0A000086deadbeef00112233445566778899aabb',
  'sha256:8565d8738a3a5ecdc1d073ea68ae8b28586f5e075bd060563d8b08c69b7db165',
  'alert threshold raised to 45 by operator',
  'the certificate will expire in 45 days',
  'certificate renewed; it had been due to expire',
  'verify return:1',
  '- Status: The certificate is trusted.',
  '*  SSL certificate verify ok.',
  'Client device-001 received CONNACK (0)',
  '1764086400: Client device-001 disconnected.',
  '1764086400: Sending CONNACK to device-001 (0, 0)',
  'authorized true authorizationError null',
  'exit code 45',
  'rc=0',
  'return code 0',
  'tls alert threshold',
  'unknown command "cah"',
  'connection accepted from 10.0.0.9',
  'test refused to start',
  'page expired',
  'name: certificate-expired-dashboard.json',
  'HF-0001 is no failure',
  'error:99999999:',
  'got an alert message, type: [3:48]',
  'SSL alert number 300',
  'mbedtls returned 0x2700 bytes',
  'free heap 32512 bytes, largest block -1',
]

test('a line that says nothing of a cause is told as unknown, and as no fault', () => {
  const known = unknownLines.flatMap((line) => {
    const examinations = examineLogText(line)
    const codes = examinations.flatMap(({ findings }) => findings.map(({ code }) => code))
    return codes.join() === 'log-line-unknown' ? [] : [`${line}: ${codes.join(', ')}`]
  })
  assert.deepEqual(known, [])
})

test('what is not known is a note with something to do, and names the program where its form tells', () => {
  const [examination] = examineLogText('1764086400: mosquitto version 2.0.11 running')
  assert.equal(examination?.findings[0]?.severity, 'note')
  assert.match(examination?.findings[0]?.evidence ?? '', /Mosquitto/)
  assert.match(examination?.findings[0]?.cure ?? '', /lines around it/)
})
