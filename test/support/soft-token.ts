/** A token of SoftHSM in a folder of its own, with a key that was made in it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from './programs.ts'

const modulePath = '/usr/lib/softhsm/libsofthsm2.so'
const enginePath = '/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so'

export interface SoftToken {
  /** With the file of its PIN. */
  readonly uri: string
  readonly modulePath: string
  /** Variables without which the token is not found. */
  readonly env: Readonly<Record<string, string>>
  readonly pin: string
  readonly pinFile: string
}

/** Options of a test that needs a token. */
export function needsToken(): { skip: string | false } {
  const programs = needs('softhsm2-util', 'pkcs11-tool', 'openssl')
  if (programs.skip !== false) return programs
  return { skip: existsSync(enginePath) ? false : 'the PKCS#11 engine of OpenSSL is not installed' }
}

/** @param keyType as pkcs11-tool names it: `EC:prime256v1`, `rsa:2048` */
export function softToken(folder: string, keyType: string): SoftToken {
  const [tokens, configuration, pinFile] = ['tokens', 'softhsm2.conf', 'pin'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(tokens, { recursive: true })
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`)
  const pin = '471108'
  writeFileSync(pinFile, pin, { mode: 0o600 })
  const env = { SOFTHSM2_CONF: configuration }
  const run = (program: string, ...args: readonly string[]): void => {
    execFileSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  run('softhsm2-util', '--init-token', '--free', '--label', 'device', '--so-pin', '12345678', '--pin', pin)
  const login = ['--module', modulePath, '--token-label', 'device', '--login', '--pin', pin]
  run('pkcs11-tool', ...login, '--keypairgen', '--key-type', keyType, '--label', 'device-key', '--id', '01')
  const uri = `pkcs11:token=device;object=device-key;type=private?pin-source=file:${pinFile}`
  return { uri, modulePath, env, pin, pinFile }
}
