/** A certificate authority of somebody else, run by OpenSSL: what an operator brings a server certificate from. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

export interface BroughtPair {
  /** Paths. */
  readonly certificate: string
  readonly key: string
}

export interface PublicAuthority {
  /** Path of its root. */
  readonly root: string
  /** Issues a certificate in files of that name; `san` as OpenSSL writes it, `DNS:a.example,IP:192.0.2.1`. */
  issue(name: string, options: IssueOptions): Promise<BroughtPair>
}

export interface IssueOptions {
  readonly san: string | null
  readonly keyUsage?: string
  readonly newkey?: string
  readonly notBefore?: string
  readonly notAfter?: string
}

export async function publicAuthority(folder: string): Promise<PublicAuthority> {
  const path = (name: string): string => join(folder, name)
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', [
    ...['-subj', '/CN=Public Root', '-keyout', path('public.key'), '-out', path('public.pem')],
  ])
  writeFileSync(path('index.txt'), '')
  writeFileSync(
    path('ca.cnf'),
    `[ca]\ndefault_ca = own\n[own]\ndatabase = ${path('index.txt')}\nnew_certs_dir = ${folder}\nrand_serial = yes\n` +
      'default_md = sha256\npolicy = any\nunique_subject = no\ncopy_extensions = none\n[any]\ncommonName = supplied\n',
  )
  return {
    root: path('public.pem'),
    async issue(name, { san, keyUsage = 'serverAuth', newkey = 'rsa:2048', notBefore, notAfter }) {
      const [key, request, certificate] = [path(`${name}.key`), path(`${name}.csr`), path(`${name}.pem`)]
      await openssl('req', '-newkey', newkey, '-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-out', request)
      const extensions = [`extendedKeyUsage=${keyUsage}`, ...(san === null ? [] : [`subjectAltName=${san}`])]
      writeFileSync(path(`${name}.ext`), extensions.join('\n'))
      const dates = [
        ...(notBefore === undefined ? [] : ['-startdate', notBefore]),
        ...(notAfter === undefined ? ['-days', '10'] : ['-enddate', notAfter]),
      ]
      await openssl('ca', '-batch', '-notext', '-config', path('ca.cnf'), '-extfile', path(`${name}.ext`), [
        ...['-cert', path('public.pem'), '-keyfile', path('public.key'), '-in', request, '-out', certificate],
        ...dates,
      ])
      return { certificate, key }
    },
  }
}

async function openssl(...args: readonly (string | readonly string[])[]): Promise<void> {
  const { status, stderr } = await run('openssl', args.flat())
  if (status !== 0) throw new Error(`openssl ${args.flat().join(' ')} ended with ${status}:\n${stderr}`)
}

/** Both files as text. */
export function contentOf({ certificate, key }: BroughtPair): { readonly certificate: string; readonly key: string } {
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}
