/** A folder for each test of a credential store, and three credentials of one device. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import type { CredentialStore, HubRecord, NewCredential } from '../../../src/device/store/credential.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { credential } from './credentials.ts'

export interface StoreBed {
  /** Of the test that runs. */
  readonly directory: string
  readonly authority: OpensslAuthority
  readonly first: NewCredential & { readonly hub: HubRecord }
  readonly second: NewCredential & { readonly hub: HubRecord }
  readonly third: NewCredential & { readonly hub: HubRecord }
  /** A store in that folder, in which the first credential is in use. */
  filled(): CredentialStore
  /** Names of its slots. */
  slots(): readonly string[]
}

/** To be called once in a file, outside of its tests. */
export function storeBed(): StoreBed {
  const authority = new OpensslAuthority()
  const bed = {
    directory: '',
    authority,
    ...{ first: credential(authority), second: credential(authority), third: credential(authority) },
    filled() {
      const store = openCredentialStore(bed.directory)
      store.install(bed.first)
      return store
    },
    slots: () => readdirSync(join(bed.directory, 'slots')).sort(),
  }
  beforeEach(() => {
    bed.directory = mkdtempSync(join(tmpdir(), 'handfast-store-'))
  })
  afterEach(() => rmSync(bed.directory, { recursive: true, force: true }))
  after(() => authority.remove())
  return bed
}

export function fingerprint(store: CredentialStore, slot: 'current' | 'next' | 'previous'): string | undefined {
  return store[slot]()?.hub?.fingerprint
}

export function assertRefused(work: () => unknown, code: FailureName): HubError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code, error.message)
    return error
  }
  return assert.fail('it was not refused')
}
