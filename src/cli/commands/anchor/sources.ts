/** Options and lines about where word of the revocations of a trust anchor comes from. */
import type { Command } from 'commander'
import type { AnchorView } from '../../../api-schema/anchors.ts'
import { type RevocationBehaviour, revocationBehaviours } from '../../../core/identification/anchor.ts'
import type { HubOptions } from '../../hub-options.ts'
import { printLine, shortTime } from '../../output.ts'
import { collectWord, oneOf } from '../../values.ts'

export interface SourceOptions extends HubOptions {
  readonly revocation?: RevocationBehaviour
  readonly crlUrl?: readonly string[]
  readonly ocspUrl?: string
  readonly byCertificates?: boolean
  readonly privateHost?: readonly string[]
}

/** @param isEdit whether there is something that can be taken away again */
export function addSourceOptions(command: Command, isEdit: boolean): Command {
  const orNone = isEdit ? '; none for none' : ''
  const read = oneOf('--revocation', revocationBehaviours)
  const about =
    'require: nobody comes in without a CRL in date or the word of a responder; prefer: who is known to be revoked stays out; ignore: revocations do not count'
  if (isEdit) command.option('--revocation <behaviour>', about, read)
  else command.option('--revocation <behaviour>', about, read, 'require')
  command
    .option('--crl-url <url>', `fetch its CRL there (may be repeated${orNone})`, collectWord)
    .option('--ocsp-url <url>', `ask this OCSP responder about its certificates${orNone}`)
    .option('--by-certificates', 'use the addresses of CRLs and responders that its certificates name, too')
  if (isEdit) command.option('--no-by-certificates', 'do not use them any more')
  return command.option(
    '--private-host <host>',
    `certificates may name this host although it is on a private network (may be repeated${orNone})`,
    collectWord,
  )
}

/** What was said, in the form of the API; what was not said is left out. */
export function sourcesOf({ crlUrl, ocspUrl, byCertificates, privateHost }: SourceOptions) {
  return {
    ...(crlUrl === undefined ? {} : { crlUrls: withoutNone(crlUrl) }),
    ...(ocspUrl === undefined ? {} : { ocspUrl: ocspUrl === 'none' ? null : ocspUrl }),
    ...(byCertificates === undefined ? {} : { isByCertificates: byCertificates }),
    ...(privateHost === undefined ? {} : { hosts: withoutNone(privateHost).map((host) => host.toLowerCase()) }),
  }
}

function withoutNone(words: readonly string[]): string[] {
  return words.filter((word) => word !== 'none')
}

/** As rows of `anchor show`. */
export function sourceFields({ sources, crls, below, fingerprint }: AnchorView): [string, string][] {
  const nameOf = (issuer: string): string =>
    issuer === fingerprint ? 'itself' : (below.find((each) => each.fingerprint === issuer)?.subject ?? issuer)
  return [
    ...below.map(({ subject, notAfter }): [string, string] => [
      'below it',
      `${subject}, good until ${shortTime(notAfter)}`,
    ]),
    ...(sources.ocspUrl === null ? [] : [['OCSP', sources.ocspUrl] as [string, string]]),
    ...(sources.isByCertificates ? [['by certificates', hostsText(sources.hosts)] as [string, string]] : []),
    ...crls.map(({ issuer, part, nextUpdate }): [string, string] => [
      'CRL',
      `of ${nameOf(issuer)}${part === '' ? '' : `, ${part}`}: the next is due ${shortTime(nextUpdate)}`,
    ]),
    ...(crls.length === 0 ? [['CRL', 'there is none'] as [string, string]] : []),
  ]
}

function hostsText(hosts: readonly string[]): string {
  return hosts.length === 0 ? 'at public addresses' : `at public addresses, ${hosts.join(', ')}`
}

/** A line for each address that is fetched from. */
export function printFetches({ fetches }: Pick<AnchorView, 'fetches'>): void {
  for (const { url, triedAt, dueAt, failure } of fetches) {
    const last =
      triedAt === null ? 'not tried yet' : failure === null ? `fetched ${shortTime(triedAt)}` : `failed: ${failure}`
    printLine(`${url}: ${last}; next at ${shortTime(dueAt)}`)
  }
}
