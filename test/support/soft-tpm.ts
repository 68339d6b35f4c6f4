/**
 * A TPM of swtpm's with an ECDSA key in it, as OpenSSL's provider tpm2 uses it. It has room for three objects, as a real one; what
 * the kernel does for that (/dev/tpmrm0) is done by tpm2-abrmd, on a message bus of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { needs, programPath } from './programs.ts'

export interface SoftTpm {
  readonly uri: string
  readonly env: Readonly<Record<string, string>>
}

interface Context {
  after(step: () => Promise<void>): void
  readonly signal: AbortSignal
}

/** Options of a test that needs a TPM. */
export function needsTpm(): { skip: string | false } {
  const programs = needs('openssl', 'swtpm', 'tpm2-abrmd', 'dbus-daemon', 'tpm2_createprimary')
  if (programs.skip !== false) return programs
  const provider = '/usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so'
  return { skip: existsSync(provider) ? false : 'the provider tpm2 of OpenSSL is not installed' }
}

export async function softTpm(context: Context, folder: string): Promise<SoftTpm> {
  mkdirSync(folder, { recursive: true })
  const port = await freePortPair()
  await startedTpm(context, folder, port)
  const direct = `swtpm:host=127.0.0.1,port=${port}`
  makeKey(folder, direct)
  const bus = await startedBus(context)
  const env = { DBUS_SESSION_BUS_ADDRESS: bus }
  start(context, 'tpm2-abrmd', ['--session', '--allow-root', `--tcti=${direct}`], env)
  const shared = { ...env, TPM2OPENSSL_TCTI: 'tabrmd:bus_type=session' }
  await until(context, () => isAnswering({ ...env, TPM2TOOLS_TCTI: shared.TPM2OPENSSL_TCTI }))
  return { uri: handle, env: shared }
}

const handle = 'handle:0x81000101'

async function startedTpm(context: Context, folder: string, port: number): Promise<void> {
  const place = (number: number): string => `type=tcp,port=${number},bindaddr=127.0.0.1`
  start(context, 'swtpm', [
    ...['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
    ...['--server', place(port), '--ctrl', place(port + 1)],
  ])
  await until(context, () => isListening(port + 1))
}

function makeKey(folder: string, tcti: string): void {
  const tpm2 = (name: string, ...args: readonly string[]): void => {
    execFileSync(`tpm2_${name}`, ['-T', tcti, ...args], { cwd: folder, stdio: 'ignore' })
  }
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign'
  tpm2('createprimary', '-C', 'o', '-G', 'ecc', '-c', 'primary.ctx')
  tpm2('flushcontext', '-t')
  tpm2('create', '-C', 'primary.ctx', '-G', 'ecc256:ecdsa-sha256', '-a', attributes, '-u', 'k.pub', '-r', 'k.priv')
  tpm2('flushcontext', '-t')
  tpm2('load', '-C', 'primary.ctx', '-u', 'k.pub', '-r', 'k.priv', '-c', 'k.ctx')
  tpm2('evictcontrol', '-C', 'o', '-c', 'k.ctx', handle.replace('handle:', ''))
  tpm2('flushcontext', '-t')
}

async function startedBus(context: Context): Promise<string> {
  const bus = start(context, 'dbus-daemon', ['--session', '--nofork', '--nosyslog', '--print-address=1'])
  const [address] = (await once(bus.stdout ?? bus, 'data')) as [Buffer]
  return address.toString('utf8').trim()
}

function start(
  context: Context,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(programPath(program) ?? program, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  })
  const ended = once(child, 'exit')
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  return child
}

async function until({ signal }: Context, isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(50, undefined, { signal })
}

function isAnswering(env: Readonly<Record<string, string>>): boolean {
  try {
    execFileSync('tpm2_getrandom', ['4'], { env: { ...process.env, ...env }, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
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
