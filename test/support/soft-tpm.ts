/** A TPM of swtpm's with an ECDSA key in it, as OpenSSL's provider tpm2 uses it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface SoftTpm {
  readonly uri: string
  readonly env: Readonly<Record<string, string>>
}

/** @returns null where OpenSSL has no provider for it */
export async function softTpm(
  context: { after(step: () => Promise<void>): void },
  folder: string,
): Promise<SoftTpm | null> {
  if (!existsSync('/usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so')) return null
  mkdirSync(folder, { recursive: true })
  const port = await freePortPair()
  const listening = [
    `type=tcp,port=${port},bindaddr=127.0.0.1`,
    `type=tcp,port=${port + 1},bindaddr=127.0.0.1`,
  ] as const
  const child = spawn(
    'swtpm',
    [
      ...['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
      ...['--server', listening[0], '--ctrl', listening[1]],
    ],
    { stdio: 'ignore' },
  )
  const ended = once(child, 'exit')
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  while (!(await isListening(port + 1))) {
    if (child.exitCode !== null) throw new Error(`swtpm ended with ${child.exitCode}`)
    await delay(20)
  }
  const tcti = `swtpm:host=127.0.0.1,port=${port}`
  const tpm2 = (name: string, ...args: readonly string[]): void => {
    execFileSync(`tpm2_${name}`, ['-T', tcti, ...args], { cwd: folder, stdio: 'ignore' })
  }
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
  tpm2('createprimary', '-C', 'o', '-G', 'ecc', '-c', 'primary.ctx')
  tpm2('flushcontext', '-t')
  tpm2('create', '-C', 'primary.ctx', '-G', 'ecc256:ecdsa-sha256', '-a', attributes, '-u', 'k.pub', '-r', 'k.priv')
  tpm2('flushcontext', '-t')
  tpm2('load', '-C', 'primary.ctx', '-u', 'k.pub', '-r', 'k.priv', '-c', 'k.ctx')
  tpm2('evictcontrol', '-C', 'o', '-c', 'k.ctx', '0x81000101')
  tpm2('flushcontext', '-t')
  return { uri: 'handle:0x81000101', env: { TPM2OPENSSL_TCTI: tcti } }
}

/** Two ports in a row: the library looks for the control channel at the one behind. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 65_535 && !(await isListening(port + 1))) return port
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const answer = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}
