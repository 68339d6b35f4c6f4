/** Certificates that should not get in, made with the authority of a test hub or with one of their own. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Credential } from '../../src/core/identity/credential.ts'
import { parseIdentityId, parseRealm } from '../../src/core/identity/id.ts'
import { noNames } from '../../src/core/identity/identity.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { certificateContent } from '../../src/core/profile/certificate-content.ts'
import { certificateTemplate } from '../../src/core/profile/templates.ts'
import type { Validity } from '../../src/core/profile/validity.ts'
import { certificateFingerprint, readCertificate } from '../../src/core/x509/certificate.ts'
import { signedCertificate, toBeSigned } from '../../src/core/x509/certificate-builder.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { publicKeyHash } from '../../src/core/x509/public-key.ts'
import { serialNumberFrom } from '../../src/core/x509/serial-number.ts'
import { systemRandom } from '../../src/machine/system.ts'
import { openBeside } from './hub-database.ts'
import type { DeviceFiles, HubProcess } from './hub-process.ts'

/**
 * A certificate signed with the hub's own issuing key behind its back, as a thief of that key or a restored backup would
 * leave it.
 *
 * @param registered puts it into the registry as an active credential of the identity
 */
export async function signedBehindTheBack(
  hub: HubProcess,
  folder: string,
  id: string,
  validity: Validity,
  registered: boolean,
): Promise<DeviceFiles> {
  const { store, keys } = await openBeside(hub.data)
  try {
    const issuing = (await store.authorities.all()).findLast(({ role }) => role === 'issuing')
    if (issuing === undefined) throw new Error('the hub has no issuing authority')

    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' })
    const serialNumber = serialNumberFrom(systemRandom.bytes(20))
    const identityId = parseIdentityId(id)
    const facts = { id: identityId, kind: 'device', group: null, attributes: {}, names: noNames } as const
    const template = certificateTemplate({
      publicKey,
      serialNumber,
      validity,
      issuer: readCertificate(issuing.certificate),
      content: certificateContent(deviceProfile, facts, parseRealm('localhost')),
      crlUrl: 'http://localhost/none.crl',
      ocspUrl: null,
      caIssuersUrl: null,
    })
    const tbs = toBeSigned(template)
    const certificate = signedCertificate(tbs, await (await keys.open(issuing.id)).sign(tbs))
    const credential: Credential = {
      fingerprint: certificateFingerprint(certificate),
      serialNumber: Buffer.from(serialNumber).toString('hex'),
      identityId,
      authorityId: issuing.id,
      profile: 'device',
      state: 'active',
      publicKeyHash: publicKeyHash(publicKey),
      certificate,
      tokenId: null,
      keyOrigin: 'holder',
      crlShard: null,
      parentSerial: null,
      supersededAtMs: null,
      ...validity,
      issuedAtMs: validity.notBeforeSec * 1000,
      activatedAtMs: null,
      revokedAtMs: null,
      revocationReason: null,
    }
    if (registered) await store.write((tx) => tx.credentials.insert(credential))

    const files = { id, folder, ca: hub.ca, cert: join(folder, `${id}.pem`), key: join(folder, `${id}.key`) }
    writeFileSync(files.cert, encodePem('CERTIFICATE', certificate) + encodePem('CERTIFICATE', issuing.certificate))
    writeFileSync(files.key, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    return files
  } finally {
    await store.close()
  }
}
