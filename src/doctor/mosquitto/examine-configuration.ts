/** A configuration of Mosquitto: what in it keeps a device out, and what lets a stranger in, each with its file and line. */
import { posix } from 'node:path'
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { type Examination, type Fact, type Finding, finding, gravestFirst } from '../finding.ts'
import { checkAccessList } from './access-checks.ts'
import { type AccessList, readAccessList } from './access-list.ts'
import { admissionOf, admissionText } from './admission.ts'
import { checkBridge } from './bridge-checks.ts'
import { checkCertificates } from './certificate-checks.ts'
import { arrange, type Configuration, flag, type Listener, listenerName } from './configuration.ts'
import { flagOf, placeOf, readSettings, type Setting } from './configuration-text.ts'
import { checkLines } from './line-checks.ts'
import { checkListeners } from './listener-checks.ts'
import type { Account, Machine } from './machine.ts'
import { NamedFiles } from './named-files.ts'
import { checkPasswords } from './password-checks.ts'

/** @param path as the person named it */
export function examineConfiguration(path: string, machine: Machine): Examination {
  const read = readWhole(path, machine)
  const configuration = arrange(read.settings)
  const account = accountOf(configuration, machine)
  const files = new NamedFiles(configuration.settings, machine, account)
  const lists = new AccessLists(files)
  const findings = [
    ...read.findings,
    ...checkLines(configuration),
    ...files.findings,
    ...checkListeners(configuration, (listener) => lists.of(listener)),
    ...configuration.listeners.flatMap((listener) => checkCertificates(listener, files, machine.nowSec)),
    ...checkLists(configuration, lists),
    ...checkPasswordFiles(configuration, files),
    ...configuration.bridges.flatMap(checkBridge),
  ]
  return { subject: path, facts: factsOf(configuration, account), findings: gravestFirst(distinct(findings)) }
}

interface Whole {
  readonly settings: readonly Setting[]
  readonly findings: readonly Finding[]
}

/** The file and, where it says so, the *.conf of its folders, in the order in which Mosquitto reads them. */
function readWhole(path: string, machine: Machine): Whole {
  const findings: Finding[] = []
  const settings: Setting[] = []
  for (const setting of settingsIn(path, machine)) {
    if (setting.name !== 'include_dir') {
      settings.push(setting)
      continue
    }
    const folder = machine.look(setting.value, 0)
    if (folder.kind !== 'folder') {
      findings.push(
        finding('mosquitto-file-missing', placeOf(setting), {
          evidence: `the folder ${quote(setting.value)} is not there`,
        }),
      )
      continue
    }
    const names = folder.names.filter((name) => name.endsWith('.conf')).toSorted()
    if (names.length === 0) {
      const severity = folder.names.length === 0 ? 'note' : 'warning'
      findings.push(finding('mosquitto-included-out', placeOf(setting), { severity }))
    }
    for (const name of names) settings.push(...settingsIn(posix.join(setting.value, name), machine))
  }
  return { settings: settings.slice(0, limits.brokerConfigurationLinesMax), findings }
}

function settingsIn(path: string, machine: Machine): readonly Setting[] {
  const found = machine.look(path, limits.brokerConfigurationBytesMax)
  return found.kind === 'file' ? readSettings(path, Buffer.from(found.bytes).toString('utf8')) : []
}

/** Whom the broker becomes when root starts it: `user`, or mosquitto, or nobody. */
function accountOf({ broker }: Configuration, machine: Machine): Account | null {
  const named = broker.get('user')?.value
  if (named !== undefined && named !== 'mosquitto') return machine.account(named)
  return machine.account('mosquitto') ?? machine.account('nobody')
}

class AccessLists {
  readonly #files: NamedFiles
  readonly #read = new Map<string, AccessList>()

  constructor(files: NamedFiles) {
    this.#files = files
  }

  of({ settings }: Listener): AccessList | null {
    const setting = settings.get('acl_file')
    const bytes = this.#files.bytes(setting)
    if (setting === undefined || bytes === null) return null
    const before = this.#read.get(setting.value)
    if (before !== undefined) return before
    const list = readAccessList(setting.value, Buffer.from(bytes).toString('utf8'))
    this.#read.set(setting.value, list)
    return list
  }
}

/** Each list once, with what is worst among the listeners that it is for. */
function checkLists(configuration: Configuration, lists: AccessLists): readonly Finding[] {
  const listenersOf = Map.groupBy(configuration.listeners, (listener) => lists.of(listener))
  return [...listenersOf].flatMap(([list, listeners]) => {
    if (list === null) return []
    return checkAccessList(list, {
      clientIdIsChosen: listeners.some((listener) => !flag(listener, 'use_username_as_clientid')),
      allowsAnonymous: listeners.some((listener) => admissionOf(listener, configuration.isLocalOnly).allowsAnonymous),
    })
  })
}

function checkPasswordFiles({ settings }: Configuration, files: NamedFiles): readonly Finding[] {
  return settings
    .filter(({ name }) => name === 'password_file')
    .flatMap((setting) => {
      const bytes = files.bytes(setting)
      return bytes === null ? [] : checkPasswords(setting.value, bytes)
    })
}

function factsOf(configuration: Configuration, account: Account | null): readonly Fact[] {
  const { listeners, bridges, isLocalOnly, broker } = configuration
  const persistent = broker.get('persistence')
  return [
    { name: 'read as', value: 'Mosquitto 2.0; 1.x let anonymous clients in where nothing forbids it' },
    {
      name: 'broker user',
      value: account?.name ?? 'not known on this machine: whether it may read its files was not judged',
    },
    ...listeners.map((listener) => ({
      name: listenerName(listener),
      value: admissionText(admissionOf(listener, isLocalOnly)),
    })),
    ...bridges.map(({ at }) => ({ name: 'bridge', value: at.value })),
    ...(persistent !== undefined && flagOf(persistent.value) === true ? [{ name: 'persistence', value: 'on' }] : []),
  ]
}

/** Listeners that share a file are each told of it once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>()
  return findings.filter(({ code, subject, evidence }) => {
    const key = `${code} ${subject} ${evidence}`
    return !seen.has(key) && seen.add(key)
  })
}
