// needs: openssl
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { credentialSource } from '../../src/device/credential-source.ts'
import { openCredentialStore } from '../../src/device/store/open.ts'
import { certificatesIn } from '../../src/device/store/slots.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { OpensslAuthority } from './est-authority.ts'
import { putCredential } from './held-credential.ts'

const authority = new OpensslAuthority()
const other = new OpensslAuthority()
after(() => {
  authority.remove()
  other.remove()
})

function filled(t: TestContext) {
  const directory = join(temporaryFolder(t), 'device')
  const fingerprint = putCredential(authority, directory, 'pump-7', { host: 'hub.example' })
  return { directory, fingerprint, source: credentialSource(directory), store: openCredentialStore(directory) }
}

test('the credential is the same object until another one is in place', (t) => {
  const { directory, fingerprint, source } = filled(t)
  const first = source.current()
  assert.equal(first.fingerprint, fingerprint)
  assert.equal(source.current(), first)
  const renewed = putCredential(authority, directory, 'pump-7')
  assert.equal(source.current().fingerprint, renewed)
})

test('roots that are replaced beside the same certificate are seen', (t) => {
  const { source, store } = filled(t)
  source.current()
  const roots = [authority, other].map((each) => new X509Certificate(each.read('root.pem')))
  store.replaceRoots(roots)
  assert.equal(source.current().roots, roots.map(String).join(''))
})

test('a hub that has moved is found, with the same certificate', (t) => {
  const { source, store, fingerprint } = filled(t)
  const { hub, identity } = source.current()
  assert.ok(hub !== null)
  const moved = { ...hub, host: 'moved.example' }
  store.install({ keyPem: identity.key, chain: certificatesIn(identity.chain), roots: store.roots(), hub: moved })
  assert.equal(source.current().hub?.host, 'moved.example')
  assert.equal(source.current().fingerprint, fingerprint)
})

test('what waits for its proof is not shown, and after a roll-back neither', (t) => {
  const { source, store, fingerprint } = filled(t)
  const { hub, identity } = source.current()
  store.prepareNext({ keyPem: identity.key, chain: certificatesIn(identity.chain), roots: store.roots(), hub })
  assert.equal(source.current().fingerprint, fingerprint)
  store.rollBack()
  assert.equal(source.current().fingerprint, fingerprint)
})

test('a folder that is not there is looked for and never made; one that goes away is missed', (t) => {
  const directory = join(temporaryFolder(t), 'device')
  const source = credentialSource(directory)
  assert.throws(() => source.current(), { code: 'credential-missing' })
  assert.equal(existsSync(directory), false)
  putCredential(authority, directory, 'pump-7')
  source.current()
  openCredentialStore(directory).clear()
  assert.throws(() => source.current(), { code: 'credential-missing' })
})
