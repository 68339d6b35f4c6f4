/** `handfast verify header`: who clients are, for TLS servers in C on mbedTLS. */
import type { Command } from 'commander'
import type { AuthorityDetailView, AuthorityListView } from '../../../api-schema/authority-views.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import type { IdentificationRule } from '../../../core/policy/model.ts'
import { readAuthorities } from '../../../verify/authorities.ts'
import { mbedtlsHeader } from '../../../verify/header/header.ts'
import { hubRule } from '../../../verify/header/rules.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine } from '../../output.ts'
import { collected } from '../../values.ts'
import { readSmallFile, writeWholeFile } from '../../whole-file.ts'

interface HeaderOptions extends HubOptions {
  readonly authority?: readonly string[]
  readonly policy?: string
  readonly out: string
  readonly force?: boolean
}

/** By which a policy file speaks of the hub's own authorities. */
const ownId = 'hub'

export function defineHeader(command: Command): void {
  addHubOptions(command)
    .option(
      '--authority <id=file>',
      'PEM of an authority that signs clients, may be repeated (default those of the hub)',
      collected,
    )
    .option(
      '--policy <file>',
      'policy file whose `identify` says whom certificates speak for (default devices of the hub)',
    )
    .option('--out <file>', 'file to write', 'handfast_verify.h')
    .option('--force', 'write over a file that is there')
    .addHelpText(
      'after',
      '\nWithout --authority the hub is asked for its issuing authorities; a policy speaks of\nthem as "hub". docs/verify.md shows the header in a server.',
    )
    .action(writeHeader)
}

async function writeHeader(options: HeaderOptions): Promise<void> {
  const { authority, policy, out, force = false, json } = options
  if (authority !== undefined && policy === undefined) {
    throw new HubError('usage', '--authority is given without --policy', {
      hint: 'say with --policy <file> which name in the certificates is the identity: docs/verify.md has such a file',
    })
  }
  const authorities = readAuthorities(authority === undefined ? await ownAuthorities(options) : given(authority))
  const header = mbedtlsHeader(authorities, await rules(options))
  writeWholeFile(out, header, { mode: 0o644, force })
  const built = authorities.map(({ id, fingerprint, fields }) => {
    return { id, fingerprint, notAfter: new Date(fields.notAfterSec * 1000).toISOString() }
  })
  if (json) return printJson({ file: out, authorities: built })
  printLine(`${out} is written. It trusts:`)
  for (const { id, fingerprint, notAfter } of built)
    printLine(`  ${id} until ${notAfter.slice(0, 10)}, SHA-256 ${fingerprint}`)
}

async function rules({ policy, ...hub }: HeaderOptions): Promise<readonly IdentificationRule[]> {
  if (policy === undefined) return [hubRule((await hubOf(hub).get<HubView>('/hub')).realm, [ownId])]
  const { parsePolicy } = await import('../../../core/policy/file/parse.ts')
  return parsePolicy(readSmallFile(policy, limits.policyBytesMax)).identify
}

/** Those that have signed certificates which may still be good. */
async function ownAuthorities(options: HubOptions): Promise<Readonly<Record<string, string>>> {
  const hub = hubOf(options)
  const { items } = await hub.get<AuthorityListView>('/authorities')
  const signing = items.filter(({ role, state }) => role === 'issuing' && state !== 'retired')
  const pems = signing.map(
    async ({ id }) => (await hub.get<AuthorityDetailView>(`/authorities/${pathPart(id)}`)).certificate,
  )
  return { [ownId]: (await Promise.all(pems)).join('') }
}

/** PEM by id; several files may have one. */
function given(words: readonly string[]): Readonly<Record<string, string>> {
  const pems: Record<string, string> = {}
  for (const word of words) {
    const [, id = '', file = ''] = /^([^=]*)=(.+)$/.exec(word) ?? []
    if (id === '') {
      throw new HubError('usage', `--authority ${quote(word)} is no id with a file`, {
        hint: 'write --authority acme=acme.pem',
      })
    }
    pems[id] = (pems[id] ?? '') + readSmallFile(file, limits.keyFileBytesMax)
  }
  return pems
}
