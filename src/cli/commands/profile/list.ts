/** `handfast profile list` and `profile show`. */
import type { Command } from 'commander'
import type { ProfileDefinitionView, ProfileListView, ProfileView } from '../../../api-schema/profiles.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printFields, printJson, printTable, shortTime } from '../../output.ts'

export function defineList(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const { items } = await hubOf(options).get<ProfileListView>('/profiles')
    if (options.json) return printJson({ items })
    const rows = items.map(({ builtIn, definition }) => [
      definition.name,
      builtIn ? 'built in' : 'own',
      definition.kinds.join(' '),
      definition.extendedKeyUsage.join(' '),
      durationText(definition.lifetimeSec),
      definition.description,
    ])
    printTable(['NAME', 'FROM', 'FOR', 'PURPOSES', 'LIFETIME', 'DESCRIPTION'], rows)
  })
}

export function defineShow(command: Command): void {
  addHubOptions(command)
    .addHelpText('after', '\nWith --json it prints a file that `profile add` takes under another name.')
    .action(async (name: string, options: HubOptions) => {
      const view = await hubOf(options).get<ProfileView>(`/profiles/${pathPart(name)}`)
      if (options.json) return printJson(view.definition)
      printFields(fieldsOf(view))
      note('\nA certificate request decides its public key and nothing else.')
    })
}

function fieldsOf({ builtIn, version, updatedAt, definition: profile }: ProfileView): readonly [string, string][] {
  const { names, renewal } = profile
  const changed = updatedAt === null ? '' : `, changed ${shortTime(updatedAt)}`
  const asDns = names.addressesAsDns ? '; IPv4 addresses also as DNS names' : ''
  const optional = profile.optionalExtendedKeyUsage
  return [
    ['name', profile.name],
    ['description', profile.description || '-'],
    ['from', builtIn ? 'built in' : `your own, version ${version}${changed}`],
    ['for', profile.kinds.join(' ')],
    ['subject', profile.subject.map(({ type, value }) => `${type}=${value}`).join(', ') || 'empty'],
    ['URI', 'the SPIFFE ID of the identity'],
    ['DNS names', `${sourcesText(names.dns)}${asDns}`],
    ['addresses', sourcesText(names.ip)],
    ['e-mail', sourcesText(names.email)],
    ['key usage', profile.keyUsage.join(' ')],
    [
      'purposes',
      `${profile.extendedKeyUsage.join(' ')}${optional.length > 0 ? `; an order: ${optional.join(' ')}` : ''}`,
    ],
    ['lifetime', `${durationText(profile.lifetimeSec)}; an order: up to ${durationText(profile.lifetimeMaxSec)}`],
    ['starts', `${durationText(profile.backdateSec)} before its issue`],
    ['keys', profile.keyTypes.join(' ')],
    ['hash', profile.hash ?? "as strong as the issuer's key"],
    ['signed by', `the chain ${profile.chain}`],
    ['read by', profile.compatibility],
    ['connects', profile.mayConnect ? 'yes' : 'no'],
    ['status', statusText(profile)],
    [
      'excess',
      `a request that asks for more is ${profile.excess === 'refuse' ? 'refused' : 'taken, and gets no more'}`,
    ],
    ['approval', profile.approval ? 'by an operator, each time' : 'none'],
    ['renewed', `from ${Math.round(renewal.windowFrom * 100)} % of its life, ${graceText(renewal)}`],
    ['first use', `within ${durationText(renewal.pendingLapsesSec)}`],
  ]
}

function sourcesText({ patterns, registry, requester }: ProfileDefinitionView['names']['dns']): string {
  const sources = [
    ...(patterns.length === 0 ? [] : [`the profile: ${patterns.join(' ')}`]),
    ...(registry ? ['the registry: those of the identity'] : []),
    ...(requester === 'any'
      ? ['an order: any']
      : requester.length === 0
        ? []
        : [`an order: in ${requester.join(' ')}`]),
  ]
  return sources.join('; ') || 'none'
}

function statusText({ status: { crl, ocsp } }: ProfileDefinitionView): string {
  return [...(crl ? ['CRL'] : []), ...(ocsp ? ['OCSP'] : [])].join(' and ') || 'told nowhere'
}

function graceText({ afterExpirySec, quarantineAfterExpiry }: ProfileDefinitionView['renewal']): string {
  if (afterExpirySec === 0) return 'never after its end'
  return `until ${durationText(afterExpirySec)} after its end${quarantineAfterExpiry ? ', then into quarantine' : ''}`
}

/** Seconds as one number with a unit, where they are whole. */
function durationText(seconds: number): string {
  for (const [unit, name] of units) if (seconds % unit === 0 && seconds > 0) return `${seconds / unit}${name}`
  return `${seconds}s`
}

const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
] as const
