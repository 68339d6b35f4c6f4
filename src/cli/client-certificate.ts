/** The client certificate of a person who uses a hub on another machine: PEM, or a PFX with key and certificate in one. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { HubError, quote } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { unreadable } from '../core/unreadable.ts'

/** What a TLS connection takes. */
export interface ClientCertificate {
  /** Certificates in PEM with their key behind them, or a PFX in base64. */
  readonly material: { readonly pem: Secret } | { readonly pfx: Secret }
  readonly passphrase: Secret | null
}

/**
 * The certificate that the environment names, or null where it names none.
 *
 * @throws HubError `usage` for files that cannot be read, or do not fit together
 */
export function clientCertificate(
  env: Readonly<Record<string, string | undefined>>,
  directory: string,
): ClientCertificate | null {
  const { HANDFAST_CERT: file, HANDFAST_CERT_KEY: keyFile } = env
  if (!file) return null
  const content = contentOf(resolve(directory, file), 'HANDFAST_CERT')
  const passphrase = passphraseIn(env, directory)
  const isPem = content.includes('-----BEGIN ')
  const key = keyFile ? contentOf(resolve(directory, keyFile), 'HANDFAST_CERT_KEY').toString('utf8') : ''
  const certificate: ClientCertificate = {
    material: isPem
      ? { pem: new Secret(`${content.toString('utf8')}\n${key}`) }
      : { pfx: new Secret(content.toString('base64')) },
    passphrase,
  }
  try {
    createSecureContext(tlsOptionsOf(certificate))
  } catch (cause) {
    throw new HubError('usage', `${quote(file)} of HANDFAST_CERT opens no connection: ${whyNot(cause)}`, {
      hint: isPem
        ? 'it must hold the certificate, and it or HANDFAST_CERT_KEY its private key; HANDFAST_CERT_PASSPHRASE opens that'
        : 'a PFX is opened with HANDFAST_CERT_PASSPHRASE, or the file that HANDFAST_CERT_PASSPHRASE_FILE names',
      cause,
    })
  }
  return certificate
}

/** As Node takes it. */
export function tlsOptionsOf({ material, passphrase }: ClientCertificate): {
  readonly cert?: string
  readonly key?: string
  readonly pfx?: Buffer
  readonly passphrase?: string
} {
  const opened = passphrase === null ? {} : { passphrase: passphrase.reveal() }
  if ('pfx' in material) return { pfx: Buffer.from(material.pfx.reveal(), 'base64'), ...opened }
  return { cert: material.pem.reveal(), key: material.pem.reveal(), ...opened }
}

function passphraseIn(env: Readonly<Record<string, string | undefined>>, directory: string): Secret | null {
  const { HANDFAST_CERT_PASSPHRASE: text, HANDFAST_CERT_PASSPHRASE_FILE: file } = env
  if (text) return new Secret(text)
  if (!file) return null
  return new Secret(contentOf(resolve(directory, file), 'HANDFAST_CERT_PASSPHRASE_FILE').toString('utf8').trim())
}

function contentOf(path: string, variable: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { words, hint } = unreadable(error)
    throw new HubError('usage', `the file ${quote(path)} of ${variable} ${words}`, { hint, cause: error })
  }
}

/** What OpenSSL means, in words; its own go to the log. */
function whyNot(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (/BAD_DECRYPT|MAC_VERIFY|mac verify|bad decrypt|INTERRUPTED|BAD_PASSWORD/i.test(`${code} ${message}`)) {
    return 'its passphrase is missing or wrong'
  }
  if (/KEY_VALUES_MISMATCH|key values mismatch/i.test(`${code} ${message}`))
    return 'the key is not that of the certificate'
  if (/NO_START_LINE|no start line|not enough data|WRONG_TAG|asn1/i.test(`${code} ${message}`)) {
    return 'certificate or key is missing or damaged'
  }
  return 'it cannot be used'
}
