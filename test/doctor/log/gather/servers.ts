/** Servers that refuse: each one prints what its operator would find in the log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as elapse } from 'node:timers/promises'
import type { Scenario } from './scenarios.ts'

export interface Server {
  readonly by: string
  readonly port: number
  /** Ends it and gives what it printed. */
  stop(): Promise<string>
}

export interface Place {
  readonly pki: string
  readonly built: string
  readonly programs: string
}

export const serverNames = ['mosquitto', 'openssl', 'gnutls', 'node-strict', 'node-lax', 'go'] as const
export type ServerName = (typeof serverNames)[number]

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** @returns null where the server cannot make this scenario */
export async function startServer(
  name: ServerName,
  scenario: Scenario,
  version: '1.2' | '1.3',
  place: Place,
): Promise<Server | null> {
  const { pki } = place
  const files = scenario.server ?? 'server'
  const at = (file: string) => join(pki, file)
  const [ca, cert, key] = [at('root.pem'), at(`${files}.pem`), at(`${files}.key`)]
  const crl = scenario.crl === undefined ? null : at(`${scenario.crl}.pem`)
  const port = await freePort()
  switch (name) {
    case 'mosquitto': {
      if (scenario.alpn !== undefined) return null
      const lines = [
        `listener ${port} 127.0.0.1`,
        `cafile ${ca}`,
        `certfile ${cert}`,
        `keyfile ${key}`,
        'require_certificate true',
        'use_identity_as_username true',
        'allow_anonymous false',
        'user root',
        'log_type all',
        `tls_version tlsv${version}`,
        ...(crl === null ? [] : [`crlfile ${crl}`]),
        ...(scenario.ciphers === undefined ? [] : [`ciphers ${scenario.ciphers}`]),
      ]
      const file = at(`mosquitto-${port}.conf`)
      writeFileSync(file, `${lines.join('\n')}\n`)
      return start('mosquitto 2.0.11, broker', ['mosquitto', '-c', file], port, /running/)
    }
    case 'openssl': {
      const options = ['-accept', String(port), '-CAfile', ca, '-cert', cert, '-key', key, '-Verify', '3']
      const versions = version === '1.2' ? ['-tls1_2'] : ['-tls1_3']
      const more = [
        ...(crl === null ? [] : ['-CRL', crl, '-crl_check']),
        ...(scenario.alpn === undefined ? [] : ['-alpn', scenario.alpn]),
        ...(scenario.ciphers === undefined ? [] : ['-cipher', scenario.ciphers]),
      ]
      const command = [
        'openssl',
        's_server',
        ...options,
        ...versions,
        ...more,
        '-verify_return_error',
        '-naccept',
        '40',
        '-quiet',
      ]
      return start('openssl s_server 3.0', command, port, null)
    }
    case 'gnutls': {
      const priority = version === '1.2' ? 'NORMAL:-VERS-ALL:+VERS-TLS1.2' : 'NORMAL:-VERS-ALL:+VERS-TLS1.3'
      const options = ['--port', String(port), '--x509cafile', ca, '--x509certfile', cert, '--x509keyfile', key]
      const more = [
        ...(crl === null ? [] : ['--x509crlfile', crl]),
        ...(scenario.alpn === undefined ? [] : ['--alpn', scenario.alpn, '--alpn-fatal']),
      ]
      const command = [
        'gnutls-serv',
        ...options,
        ...more,
        '--require-client-cert',
        '--verify-client-cert',
        '--priority',
        priority,
        '--echo',
      ]
      return start('gnutls-serv 3.7', command, port, /done|listening|IPv/)
    }
    case 'node-strict':
    case 'node-lax': {
      const mode = name === 'node-strict' ? 'strict' : 'lax'
      const options = [ca, cert, key, version, mode, crl ?? '', scenario.alpn ?? '']
      return start(
        `Node 24, TLS server (${mode})`,
        [process.execPath, join(place.programs, 'node-server.mjs'), ...options],
        null,
        /PORT/,
      )
    }
    case 'go':
      if (crl !== null || scenario.alpn !== undefined) return null
      return start('Go, TLS server', [join(place.built, 'gosrv'), ca, cert, key, version], null, /PORT/)
  }
}

async function start(
  by: string,
  command: readonly string[],
  port: number | null,
  ready: RegExp | null,
): Promise<Server> {
  const [program = '', ...rest] = command
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' })
  let text = ''
  const read = (bytes: Buffer) => {
    text += bytes.toString('latin1')
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const isUp = () => (port === null ? ready?.test(text) === true : isListening(port))
  for (let tries = 0; tries < 100 && !isUp() && child.exitCode === null; tries++) await elapse(50)
  const found = port ?? Number(/PORT (\d+)/.exec(text)?.[1] ?? 0)
  return { by, port: found, stop: () => stop(child, () => text) }
}

/** Asks the kernel: a connection to see it would be one more line in the log of the server. */
function isListening(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(([, local, , state]) => local?.endsWith(wanted) === true && state === '0A'),
  )
}

async function stop(child: ChildProcess, text: () => string): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 1500)
    await exit
    clearTimeout(late)
  }
  return text()
}
