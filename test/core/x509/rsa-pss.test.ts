/** RSA-PSS as OpenSSL signs by it: certificates and keys of authorities of others. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isIssuedBy } from '../../../src/core/identification/anchor.ts'
import { keyFault } from '../../../src/core/identification/foreign-certificate.ts'
import { isAcceptedFromOthers, isAcceptedSignature } from '../../../src/core/x509/algorithms.ts'
import { type CertificateFields, readCertificate } from '../../../src/core/x509/certificate.ts'
import { decodePem } from '../../../src/core/x509/pem.ts'
import { openssl } from '../../support/maker.ts'
import { needs } from '../../support/programs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

async function selfSigned(folder: string, key: readonly string[], signing: readonly string[]): Promise<Uint8Array> {
  const [keyFile, file] = [join(folder, 'key.pem'), join(folder, 'ca.pem')]
  const options = ['-nodes', '-keyout', keyFile, '-out', file, '-subj', '/CN=ACME', ...signing]
  await openssl('req', '-x509', ...key, ...options)
  return decodePem(readFileSync(file, 'utf8'))[0]?.der ?? new Uint8Array()
}

const rsa = ['-newkey', 'rsa:2048']
const pssKey = ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048']
const pss = (hash: string, ...more: readonly string[]) => [`-${hash}`, '-sigopt', 'rsa_padding_mode:pss', ...more]
const isSelfIssued = (fields: CertificateFields): boolean => isIssuedBy(fields, fields)

suite('RSA-PSS', needs('openssl'), () => {
  for (const hash of ['sha256', 'sha384', 'sha512']) {
    for (const [kind, key] of [
      ['of any use', rsa],
      ['for it alone', pssKey],
    ] as const) {
      test(`with ${hash} and an RSA key ${kind} is verified, whatever the length of its salt`, async (t) => {
        for (const salt of ['-1', '20', '-2']) {
          const signing = pss(hash, '-sigopt', `rsa_pss_saltlen:${salt}`)
          const fields = readCertificate(await selfSigned(temporaryFolder(t), key, signing))
          assert.ok(isSelfIssued(fields), `salt ${salt}`)
          assert.equal(keyFault(fields.publicKey), null)
        }
      })
    }
  }

  test('is not one that this hub signs with, or takes in certificate requests', async (t) => {
    const { signatureAlgorithm } = readCertificate(await selfSigned(temporaryFolder(t), rsa, pss('sha256')))
    assert.deepEqual([isAcceptedFromOthers(signatureAlgorithm), isAcceptedSignature(signatureAlgorithm)], [true, false])
  })

  test('counts for nothing with SHA-1, for the message or for the mask', async (t) => {
    for (const signing of [pss('sha1'), pss('sha256', '-sigopt', 'rsa_mgf1_md:sha1')]) {
      const fields = readCertificate(await selfSigned(temporaryFolder(t), rsa, signing))
      assert.equal(isAcceptedFromOthers(fields.signatureAlgorithm), false)
      assert.equal(isSelfIssued(fields), false)
    }
  })

  test('is not verified when a bit of the signature or of what was signed is another', async (t) => {
    const der = await selfSigned(temporaryFolder(t), rsa, pss('sha256'))
    const { toBeSigned } = readCertificate(der)
    // Behind the header of the whole and the version stands the serial number.
    const inSerialNumber = Buffer.from(der).indexOf(toBeSigned) + 4 + 5 + 2 + 3
    for (const at of [der.length - 5, inSerialNumber]) {
      const damaged = new Uint8Array(der)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      assert.equal(isSelfIssued(readCertificate(damaged)), false)
    }
  })

  test('with a key that is too short is refused', async (t) => {
    const key = ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:1024']
    const { publicKey } = readCertificate(await selfSigned(temporaryFolder(t), key, pss('sha256')))
    assert.match(keyFault(publicKey) ?? '', /1024/)
  })
})
