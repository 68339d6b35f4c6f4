/**
 * Does with a credential store what a device does in its life, and says what is done after each step. What it works with lies in
 * a file, so that whoever kills it knows every pair.
 *
 * Arguments: the folder of the store, the file, the name of what is to be done.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../../../src/core/secret.ts'
import { broughtIn } from '../../../src/device/import/brought-files.ts'
import { importCredential } from '../../../src/device/import/import-credential.ts'
import type { CredentialStore, NewCredential } from '../../../src/device/store/credential.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { id } from './credentials.ts'

const [folder = '', file = '', life = ''] = process.argv.slice(2)

interface Written {
  readonly key: string
  readonly chain: readonly string[]
  readonly roots: readonly string[]
  readonly hub: NewCredential['hub']
}

const credentials = (JSON.parse(readFileSync(file, 'utf8')) as Written[]).map(
  ({ key, chain, roots, hub }): NewCredential => ({
    keyPem: new Secret(key),
    chain: chain.map((pem) => new X509Certificate(pem)),
    roots: roots.map((pem) => new X509Certificate(pem)),
    hub,
  }),
)
const [first, second, third] = credentials as [NewCredential, NewCredential, NewCredential]

const store: CredentialStore = openCredentialStore(folder)
const did = (what: string): void => void process.stdout.write(`${what}\n`)

if (life === 'enrol') {
  store.keepWaitingKey(id, first.keyPem)
  did('waits 0')
  store.install(first)
  did('current 0')
} else if (life === 'renew') {
  store.keepWaitingKey(id, second.keyPem)
  did('waits 1')
  store.prepareNext(second)
  did('next 1')
  store.replaceRoots(second.roots)
  store.promote()
  did('current 1')
  store.prepareNext(third)
  store.rollBack()
  did('next none')
  store.noteTime(Date.UTC(2031, 0, 1))
  did('time')
  store.revert()
  did('current 0')
} else if (life === 'protect') {
  openCredentialStore(folder, { passphraseFile: join(folder, '../pass') })
  did('protected')
} else if (life === 'import') {
  const paths = broughtIn(join(folder, '../brought'))
  if (paths !== null) importCredential(store, paths, { nowMs: Date.now() + 60_000 })
  did('imported')
} else {
  did('opened')
}
