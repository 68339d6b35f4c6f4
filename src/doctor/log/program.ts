/** Which program a log is from, where no line of it tells a failure. */
import type { Fact } from '../finding.ts'

const marks: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Mosquitto', /\bmosquitto version\b|^\d{10}: |\bmosquitto\[\d+\]:/],
  ['EMQX', /\bemqx\b/i],
  ['OpenSSL', /\bSSL routines\b|\bopenssl\b|:error:[0-9A-F]{8}:/i],
  ['Node.js', /\bat .{1,200}\(node:[a-z_/]{1,60}:\d+:\d+\)/],
  ['Java', /^\s+at [\w.$]{3,200}\([\w.]{1,100}:\d+\)|\bjava\.[a-z]+\.\w+/],
  ['.NET', /^ {3}at System\.|\bSystem\.[A-Z]\w+\.\w+Exception\b/],
  ['mbedTLS', /\bssl_(?:cli|srv|msg|tls\w*)\.c:\d+|\bmbedtls_\w+/],
  ['ESP-IDF', /^[EWID] \(\d+\) [\w-]+: /],
  ['wolfSSL', /\bwolfSSL\b/],
  ['GnuTLS', /\bgnutls\b/i],
  ['Paho', /\bpaho\b/i],
  ['aws-crt', /\bAWS_(?:ERROR|IO)_[A-Z_]+/],
  ['Handfast', /\bhandfast\b/i],
]

/** The programs whose marks the lines carry, at most three. */
export function recogniseProgram(lines: readonly string[]): readonly Fact[] {
  return marks
    .filter(([, pattern]) => lines.some((line) => pattern.test(line.slice(0, 1_000))))
    .slice(0, 3)
    .map(([name]) => ({ name, value: 'by the form of its lines' }))
}
