/** Options of `enrol` that name an EST server which is no hub. */
import { X509Certificate } from 'node:crypto'
import type { Command } from 'commander'
import { HubError, quote } from '../core/errors.ts'
import { parseIdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { decodePem } from '../core/x509/pem.ts'
import type { EnrolAtOptions } from '../device/enrol-at.ts'
import { passphraseIn, readBrought } from '../device/import/brought-files.ts'
import { certificatesIn } from './certificate-file.ts'

export interface EstServerFlags {
  readonly dir: string
  readonly estUrl?: string
  readonly ca?: string
  readonly id?: string
  readonly user?: string
  readonly passwordFile?: string
}

export function addEstServerOptions(command: Command): Command {
  return command
    .option('--est-url <url>', 'enrol at this EST server in place of a hub, as https://ca.example/.well-known/est')
    .option('--ca <file>', 'roots that the EST server is verified with')
    .option('--id <id>', 'name of the device there: common name of its certificate')
    .option('--user <name>', 'user at the EST server')
    .option('--password-file <file>', 'file with the password of that user')
}

/** @returns null where no such server is named. @throws HubError `usage`; `certificate-unreadable`; `identity-id-invalid` */
export function estServer(
  flags: EstServerFlags,
): Pick<EnrolAtOptions, 'address' | 'estPath' | 'roots' | 'id' | 'credentials'> | null {
  const { estUrl, ca, id, user, passwordFile, dir } = flags
  if (estUrl === undefined) {
    if ((ca ?? id ?? user ?? passwordFile) === undefined) return null
    throw new HubError('usage', 'options of an EST server are given without one', {
      hint: 'give --est-url beside them',
    })
  }
  if (ca === undefined || id === undefined) {
    throw new HubError('usage', `--est-url needs ${ca === undefined ? '--ca' : '--id'} beside it`)
  }
  if ((user === undefined) !== (passwordFile === undefined)) {
    throw new HubError('usage', '--user and --password-file belong together')
  }
  const password = passwordFile === undefined ? null : passphraseIn(readBrought(passwordFile, dir))
  if (passwordFile !== undefined && password === null) throw new HubError('usage', `${quote(passwordFile)} is empty`)
  return {
    ...placeOf(estUrl),
    roots: decodePem(certificatesIn(ca, limits.keyFileCharsMax)).map(({ der }) => new X509Certificate(der)),
    id: parseIdentityId(id),
    credentials: user === undefined || password === null ? null : { user, password },
  }
}

function placeOf(text: string): Pick<EnrolAtOptions, 'address' | 'estPath'> {
  const url = URL.canParse(text) ? new URL(text) : null
  if (
    url?.protocol !== 'https:' ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new HubError('usage', `${quote(url === null ? text : url.host)} is no address of an EST server`, {
      hint: 'write it as https://<host>[:port][/.well-known/est/<label>], without a user or a query',
    })
  }
  const path = url.pathname.replace(/\/+$/, '')
  return {
    address: { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 443 : Number(url.port) },
    estPath: path === '' ? '/.well-known/est' : path,
  }
}
