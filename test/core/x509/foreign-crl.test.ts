/** CRLs of somebody else: what OpenSSL makes is read, and what could hide a revocation is refused. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { readForeignCrl } from '../../../src/core/x509/foreign-crl.ts'
import { decodePem } from '../../../src/core/x509/pem.ts'
import { needs } from '../../support/programs.ts'
import { run } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const bytesMax = 1 << 20

async function openssl(...args: readonly string[]): Promise<void> {
  const { status, stderr } = await run('openssl', args)
  assert.equal(status, 0, stderr)
}

/** @param section of the configuration with the extensions of the CRL; none makes one of version 1 */
async function madeByOpenSsl(folder: string, section: string): Promise<{ ca: Uint8Array; crl: Uint8Array }> {
  const path = (name: string): string => join(folder, name)
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...ec, '-keyout', path('ca.key'), '-out', path('ca.pem'), '-subj', '/CN=ACME')
  writeFileSync(path('index.txt'), 'R\t400101000000Z\t260101000000Z,keyCompromise\t00AB12\tunknown\t/CN=x\n')
  writeFileSync(path('number'), '07\n')
  const numbered = section === '' ? '' : `crlnumber=${path('number')}\ncrl_extensions=crl\n[crl]\n${section}`
  writeFileSync(
    path('ca.cnf'),
    `[ca]\ndefault_ca=a\n[a]\ndatabase=${path('index.txt')}\ndefault_md=sha256\n${numbered}\n`,
  )
  const by = ['-config', path('ca.cnf'), '-cert', path('ca.pem'), '-keyfile', path('ca.key')]
  await openssl('ca', ...by, '-gencrl', '-crldays', '7', '-out', path('crl.pem'))
  const der = (name: string) => decodePem(readFileSync(path(name), 'utf8'))[0]?.der ?? new Uint8Array()
  return { ca: der('ca.pem'), crl: der('crl.pem') }
}

suite('a CRL of somebody else', needs('openssl'), () => {
  for (const [version, section] of [
    ['1', ''],
    ['2', 'authorityKeyIdentifier=keyid'],
  ] as const) {
    test(`is read in version ${version}`, async (t) => {
      const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), section)
      const read = readForeignCrl(crl, readCertificate(ca), bytesMax)
      assert.deepEqual([...read.serialNumbers], ['00ab12'])
      assert.equal(read.nextUpdateSec - read.thisUpdateSec, 7 * 86_400)
    })
  }

  test('is refused when it holds a part of the revocations', async (t) => {
    const point = 'issuingDistributionPoint=critical,@idp\n[idp]\nonlyuser=TRUE'
    const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), point)
    assert.throws(() => readForeignCrl(crl, readCertificate(ca), bytesMax), { code: 'anchor-crl-unfit' })
  })

  test('is refused when another key has signed it, and when a bit of it is another', async (t) => {
    const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), '')
    const { ca: namesake } = await madeByOpenSsl(temporaryFolder(t), '')
    assert.throws(() => readForeignCrl(crl, readCertificate(namesake), bytesMax), { code: 'anchor-crl-unfit' })
    for (let at = 0; at < crl.length; at += 7) {
      const damaged = new Uint8Array(crl)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      assert.throws(() => readForeignCrl(damaged, readCertificate(ca), bytesMax), { code: 'anchor-crl-unfit' })
    }
  })

  test('is refused when it is longer than is taken', async (t) => {
    const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), '')
    assert.throws(() => readForeignCrl(crl, readCertificate(ca), crl.length - 1), { code: 'anchor-crl-unfit' })
  })
})
