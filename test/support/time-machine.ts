/** A hub with a journal, whose registry can be set back to what it was. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkRegistry, type Finding } from '../../src/check/check-registry.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { credentialMovedTo } from '../../src/core/identity/credential.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { findInJournal } from '../../src/hub/find-in-journal.ts'
import { journalEntries } from '../../src/hub/journal-entries.ts'
import type { Journal } from '../../src/hub/ports/journal.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import type { TokenGrant } from '../../src/hub/register-device.ts'
import { type ReplayReport, replayJournal } from '../../src/hub/replay-journal.ts'
import { beginJournal, type JournalOptions, openJournal } from '../../src/journal/file-journal.ts'
import { journaled } from '../../src/journal/journaled-store.ts'
import { openSqliteSnapshot } from '../../src/store/sqlite/sqlite-snapshot.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { MemoryFiles } from '../journal/memory-files.ts'
import { deviceRequest, type HubParts, hubParts, statusBase } from './hub-parts.ts'
import { memoryFolder } from './temporary-folder.ts'

function journalOptions(files: MemoryFiles, { clock }: HubParts, segmentBytesMax = 1024 * 1024): JournalOptions {
  return { files, clock, keptMs: 5 * 86_400_000, segmentBytesMax }
}

interface Context {
  after(step: () => unknown): unknown
}

export class TimeMachine {
  readonly #t: Context
  readonly #folder: string
  readonly #parts: HubParts
  readonly files: MemoryFiles
  readonly journal: Journal
  #store: Store
  #copies = 0

  private constructor(t: Context, parts: HubParts, folder: string, files: MemoryFiles, journal: Journal) {
    this.#t = t
    this.#folder = folder
    this.#parts = parts
    this.files = files
    this.journal = journal
    this.#store = this.#guarded(parts.store, journal.start.event)
  }

  static async start(t: Context, segmentBytesMax?: number): Promise<TimeMachine> {
    const folder = memoryFolder(t)
    const parts = await hubParts(t, folder)
    await parts.store.write(async (tx) => {
      await tx.settings.set('realm', parts.realm)
      await tx.settings.set('public-name', 'hub.plant.example')
    })
    const files = new MemoryFiles()
    const journal = await beginJournal(journalOptions(files, parts, segmentBytesMax), {
      id: 'ab',
      hub: parts.authorities.root().fingerprint,
      event: await parts.store.events.last(),
    })
    return new TimeMachine(t, parts, folder, files, journal)
  }

  /** The same hub with its journal as it was when its one file had this content. */
  static async withJournal(machine: TimeMachine, content: Uint8Array): Promise<TimeMachine> {
    const files = new MemoryFiles()
    files.put('00000001.journal', content)
    const journal = await openJournal(journalOptions(files, machine.#parts))
    assert.ok(journal !== null)
    return new TimeMachine(machine.#t, { ...machine.#parts, store: machine.#store }, machine.#folder, files, journal)
  }

  get hub(): HubParts {
    return { ...this.#parts, store: this.#store, statusPlaces: statusPlaces({ store: this.#store }, statusBase) }
  }

  /** Copies the registry as a backup would. */
  async backUp(): Promise<string> {
    const copy = join(this.#folder, `backup-${++this.#copies}.db`)
    await this.#store.close()
    copyFileSync(this.#database, copy)
    await this.open()
    return copy
  }

  /** Puts a copy in place of the registry and starts again. */
  async restore(copy: string): Promise<ReplayReport> {
    await this.exchange(copy)
    const report = await this.open()
    assert.ok(report !== null, 'nothing was replayed')
    return report
  }

  /** Stops and puts a copy in place of the registry. */
  async exchange(copy: string): Promise<void> {
    await this.#store.close()
    copyFileSync(copy, this.#database)
  }

  /**
   * Starts, and answers what was replayed.
   *
   * @param changed puts something between hub and registry
   */
  async open(changed: (store: Store) => Store = (store) => store): Promise<ReplayReport | null> {
    const { clock } = this.#parts
    const store = changed(await openSqliteStore({ path: this.#database, clock }))
    this.#t.after(() => store.close())
    const { place, event, isBehind } = await findInJournal(store, this.journal)
    const report = isBehind ? await replayJournal({ store, clock, journal: this.journal }, place, false) : null
    this.#store = this.#guarded(store, event)
    // An act that changes nothing waits for the journal all the same.
    await this.#store.write((tx) => tx.settings.find('nothing'))
    return report
  }

  /** What the check of the whole registry finds. */
  async findings(): Promise<readonly Finding[]> {
    const snapshot = await openSqliteSnapshot(this.#database)
    try {
      return (await checkRegistry(snapshot, this.#parts.keys)).findings
    } finally {
      await snapshot.close()
    }
  }

  /** A device that enrols with its token. */
  async enrolled({ identity, tokenText }: TokenGrant): Promise<Credential> {
    const { certificateRequest } = deviceRequest(identity.id)
    return enrol(this.hub, { tokenText, claimedId: '', certificateRequest })
  }

  /** The same, and connects once. */
  async connected(grant: TokenGrant): Promise<Credential> {
    const credential = await this.enrolled(grant)
    assert.equal(await this.verdict(credential), 'admitted')
    return credentialMovedTo(credential, 'active', this.hub.clock.nowMs())
  }

  /** What a device hears that connects: `admitted`, or the code of its refusal. */
  async verdict({ certificate }: Credential): Promise<string> {
    const admission = registryAdmission(this.hub)
    const judgement = await admission.judge(certificate)
    const final = judgement.admitted ? await admission.confirmUse(judgement) : judgement
    return final.admitted ? 'admitted' : final.code
  }

  get #database(): string {
    return join(this.#folder, 'hub.db')
  }

  #guarded(store: Store, position: number): Store {
    return journaled(store, {
      journal: this.journal,
      position,
      describe: (events) => journalEntries(store, events),
      log: this.#parts.log,
    })
  }
}
