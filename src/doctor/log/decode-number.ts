/**
 * A number without its line. Most numbers mean one thing in one program and another elsewhere, so every reading is told, and what one
 * reading alone would make certain is no more than possible.
 */
import { isTlsAlert, tlsAlerts } from '../../core/failure/tls-alerts.ts'
import type { Examination, Fact } from '../finding.ts'
import { conclude } from './conclude.ts'
import type { Sign } from './sign.ts'
import { curlExit } from './sources/curl.ts'
import { errnoNumbered } from './sources/errno.ts'
import { espTlsError } from './sources/esp-tls.ts'
import { gnutlsError } from './sources/gnutls-numbers.ts'
import { mbedtlsError, verifyFlags } from './sources/mbedtls.ts'
import { clientResult } from './sources/mosquitto.ts'
import { codeNumbered } from './sources/mqtt-codes.ts'
import { errorPacked, verdictNumbered } from './sources/openssl.ts'
import { wolfsslError } from './sources/wolfssl.ts'
import type { Side, Symptom } from './symptom.ts'
import { alertSymptom } from './symptoms/index.ts'
import { unknown } from './unknown.ts'

interface Reading {
  /** Whose number it would be. */
  readonly source: string
  readonly name: string
  readonly symptom: Symptom | null
  readonly side: Side | null
}

const numeral = /^[-+]?(?:0x[0-9a-f]{1,8}|\d{1,10})$/i
const packed = /^(?:error:)?(0[0-9a-f]{7}|1[0-9a-f]{7})$/i

/** True for what is a number and nothing else, as `decodeNumber` takes it. */
export function isNumeral(text: string): boolean {
  return numeral.test(text) || packed.test(text)
}

/** @param text a number: decimal, hexadecimal with 0x, or the eight digits of an OpenSSL error */
export function decodeNumber(text: string): Examination {
  const readings = readingsOf(text)
  const signs = readings.flatMap(({ source, symptom, side }): readonly (Sign & { readonly side: Side | null })[] =>
    symptom === null ? [] : [{ source, symptom, quoted: '', at: 0, side }],
  )
  const facts: readonly Fact[] = readings.map(({ source, name }) => ({ name: source, value: name }))
  if (signs.length === 0) return unknown(text, facts)
  const isSure = new Set(readings.map(({ source }) => source)).size === 1
  const found = signs.flatMap((sign) => conclude([sign], sign.side, text))
  const findings = found
    .filter(({ code }, index) => found.findIndex((other) => other.code === code) === index)
    .map((each) => (isSure ? each : { ...each, certainty: 'possible' as const }))
  return { subject: text, facts, findings }
}

function readingsOf(text: string): readonly Reading[] {
  const hexadecimal = packed.exec(text)?.[1]
  if (hexadecimal !== undefined && !/^\d{1,5}$/.test(text)) {
    const symptom = errorPacked(Number.parseInt(hexadecimal, 16))
    return symptom === null
      ? []
      : [{ source: 'OpenSSL', name: `error ${hexadecimal.toUpperCase()}`, symptom, side: null }]
  }
  const number = text.startsWith('-') ? -Number(text.slice(1)) : Number(text)
  return number < 0 ? negative(number) : positive(number, /^\+?0x/i.test(text))
}

function negative(number: number): readonly Reading[] {
  const mbedtls = mbedtlsError(number)
  const wolfssl = wolfsslError(number)
  const gnutls = gnutlsError(number)
  const errno = errnoNumbered(-number)
  return [
    ...(mbedtls === null ? [] : [{ source: 'mbedTLS', name: mbedtls[0], symptom: mbedtls[1], side: null }]),
    ...(wolfssl === null ? [] : [{ source: 'wolfSSL', name: wolfssl[0], symptom: wolfssl[1], side: null }]),
    ...(gnutls === null ? [] : [{ source: 'GnuTLS', name: gnutls[0], symptom: gnutls[1], side: null }]),
    ...(errno === null ? [] : [{ source: 'an errno of Linux', name: errno[0], symptom: errno[1], side: null }]),
  ]
}

function positive(number: number, isHexadecimal: boolean): readonly Reading[] {
  const readings: Reading[] = []
  const add = (source: string, name: string, symptom: Symptom | null, side: Side | null = null) =>
    readings.push({ source, name, symptom, side })
  const espTls = espTlsError(number)
  if (espTls !== null) add('ESP-IDF', espTls[0], espTls[1], 'client')
  // Programs print the amount of an error of mbedTLS without its sign as well.
  const mbedtls = isHexadecimal || number >= 0x1080 ? mbedtlsError(-number) : null
  if (mbedtls !== null) add('mbedTLS', `${mbedtls[0]}, without its sign`, mbedtls[1])
  if (isHexadecimal && readings.length === 0) {
    for (const symptom of verifyFlags(number)) add('verify flags of mbedTLS', symptom.meaning, symptom)
  }
  if (!isHexadecimal && isTlsAlert(number) && number !== 0) add('a TLS alert', tlsAlerts[number], alertSymptom(number))
  const verdict = verdictNumbered(number)
  if (verdict !== null && !isHexadecimal) add('a verdict of OpenSSL', verdict[0], verdict[1])
  const connack = codeNumbered(number)
  if (connack !== null)
    add(number < 0x80 ? 'a CONNACK code of MQTT 3.1.1' : 'a reason code of MQTT 5', connack.meaning, connack, 'client')
  const result = clientResult(number)
  if (result !== null && !isHexadecimal) add('a result of Mosquitto and Paho clients', result[0], result[1], 'client')
  const curl = curlExit(number)
  if (curl !== null && !isHexadecimal) add('an exit status of curl', curl[0], curl[1], 'client')
  const errno = errnoNumbered(number)
  if (errno !== null) add('an errno of Linux', errno[0], errno[1])
  return readings
}
