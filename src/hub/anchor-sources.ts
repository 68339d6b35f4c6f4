/** Where word of the revocations of a trust anchor is fetched from. */
import { HubError, quote } from '../core/errors.ts'
import { type RevocationSources, sourceFault } from '../core/identification/revocation-sources.ts'
import { limits } from '../core/limits.ts'
import type { AnchorRow } from './ports/anchors.ts'
import type { Transaction } from './ports/store.ts'

/** @throws HubError `anchor-sources-invalid` */
export function assertSources({ crlUrls, ocspUrl, hosts, isByCertificates }: RevocationSources): void {
  const invalid = (sentence: string, hint?: string): HubError =>
    new HubError('anchor-sources-invalid', sentence, hint === undefined ? {} : { hint })
  for (const url of [...crlUrls, ...(ocspUrl === null ? [] : [ocspUrl])]) {
    const fault = sourceFault(url)
    if (fault !== null)
      throw invalid(`the address ${quote(url)} ${fault}`, 'name one as in http://crl.acme.example/ca.crl')
  }
  if (crlUrls.length > limits.anchorCrlUrlsMax) {
    throw invalid(`there are ${crlUrls.length} addresses of CRLs; ${limits.anchorCrlUrlsMax} are allowed`)
  }
  if (hosts.length > limits.anchorHostsMax) {
    throw invalid(`there are ${hosts.length} hosts; ${limits.anchorHostsMax} are allowed`)
  }
  const wrong = hosts.find((host) => !hostForm.test(host))
  if (wrong !== undefined) throw invalid(`${quote(wrong)} is no host`, 'name it as in pki.plant.local or 10.0.0.7')
  if (hosts.length > 0 && !isByCertificates) {
    throw invalid(
      'hosts on private networks mean nothing where certificates name no addresses',
      'use --by-certificates, or leave --private-host out',
    )
  }
}

/** Names and addresses as URLs have them: lower case, and IPv6 without its brackets. */
const hostForm = /^[a-z0-9._:-]{1,253}$/

/** Has each address of the operator's fetched from now on, and none that is no longer there. */
export async function placeFetches(
  tx: Pick<Transaction, 'anchors'>,
  { id: anchorId, sources }: Pick<AnchorRow, 'id' | 'sources'>,
  nowMs: number,
): Promise<void> {
  const present = await tx.anchors.fetches(anchorId)
  for (const row of present) {
    const stays = row.isLearned ? sources.isByCertificates : sources.crlUrls.includes(row.url)
    if (!stays) await tx.anchors.removeFetch(row)
  }
  for (const url of sources.crlUrls) {
    if (present.some((row) => row.url === url && !row.isLearned)) continue
    const common = { triedAtMs: null, failures: 0, failure: null }
    await tx.anchors.saveFetch({ ...common, anchorId, url, isLearned: false, dueAtMs: nowMs })
  }
}
