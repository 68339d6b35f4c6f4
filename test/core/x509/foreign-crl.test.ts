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
      const read = readForeignCrl(crl, [readCertificate(ca)], bytesMax)
      assert.deepEqual([...read.serialNumbers], ['00ab12'])
      assert.equal(read.nextUpdateSec - read.thisUpdateSec, 7 * 86_400)
    })
  }

  test('says by which addresses certificates name it, where it is a part', async (t) => {
    const point =
      'issuingDistributionPoint=critical,@idp\n[idp]\nfullname=URI:http://crl.acme.example/7.crl\nonlyuser=TRUE'
    const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), point)
    assert.deepEqual(readForeignCrl(crl, [readCertificate(ca)], bytesMax).urls, ['http://crl.acme.example/7.crl'])
    const whole = await madeByOpenSsl(temporaryFolder(t), 'authorityKeyIdentifier=keyid')
    assert.deepEqual(readForeignCrl(whole.crl, [readCertificate(whole.ca)], bytesMax).urls, [])
  })

  for (const [kind, lines] of Object.entries({
    'of authorities alone': 'onlyCA=TRUE',
    'of some reasons alone': 'onlysomereasons=keyCompromise',
    'about certificates of others': 'indirectCRL=TRUE',
    'of a part that no address names': 'relativename=r\n[r]\nCN=part',
  })) {
    test(`is refused when it is one ${kind}`, async (t) => {
      const point = `issuingDistributionPoint=critical,@idp\n[idp]\n${lines}`
      const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), point)
      assert.throws(() => readForeignCrl(crl, [readCertificate(ca)], bytesMax), { code: 'anchor-crl-unfit' })
    })
  }

  test('is told apart by who has signed it, also among namesakes', async (t) => {
    const [one, other] = [await madeByOpenSsl(temporaryFolder(t), ''), await madeByOpenSsl(temporaryFolder(t), '')]
    const issuers = [readCertificate(other.ca), readCertificate(one.ca)]
    assert.equal(readForeignCrl(one.crl, issuers, bytesMax).issuer, issuers[1])
  })

  test('is refused when another key has signed it, and when a bit of it is another', async (t) => {
    const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), '')
    const { ca: namesake } = await madeByOpenSsl(temporaryFolder(t), '')
    assert.throws(() => readForeignCrl(crl, [readCertificate(namesake)], bytesMax), { code: 'anchor-crl-unfit' })
    for (let at = 0; at < crl.length; at += 7) {
      const damaged = new Uint8Array(crl)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      assert.throws(() => readForeignCrl(damaged, [readCertificate(ca)], bytesMax), { code: 'anchor-crl-unfit' })
    }
  })

  test('is refused when it is longer than is taken', async (t) => {
    const { ca, crl } = await madeByOpenSsl(temporaryFolder(t), '')
    assert.throws(() => readForeignCrl(crl, [readCertificate(ca)], crl.length - 1), { code: 'anchor-crl-unfit' })
  })
})
