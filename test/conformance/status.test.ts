/** CRLs and OCSP answers of a hub, judged by OpenSSL, GnuTLS, NSS and Mosquitto: what is good passes, what is revoked does not. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { decodePem } from '../../src/core/x509/pem.ts'
import { startMosquittoBroker } from '../support/mosquitto-broker.ts'
import { needs, programPath } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'
import { type StatusHub, startStatusHub } from '../support/status-hub.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Device = Awaited<ReturnType<StatusHub['device']>>

let hub: StatusHub
let good: Device
let bad: Device
/** Files in PEM: the shard that both certificates name, and the full CRL. */
let shard: string
let full: string
/** Both authorities in one file. */
let authorities: string

const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (step: () => unknown) => ends.push(step) }
  hub = await startStatusHub(context, temporaryFolder(context))
  good = await hub.device('good')
  bad = await hub.device('bad')
  await hub.revoke(bad.credential, 'keyCompromise')
  await hub.settled()
  shard = await hub.fetched(`/crl/${hub.authorityId}/${good.credential.crlShard}.crl`, 'shard.pem', 'X509 CRL')
  full = await hub.fetched(`/crl/${hub.authorityId}.crl`, 'full.pem', 'X509 CRL')
  authorities = join(hub.folder, 'authorities.pem')
  writeFileSync(authorities, readFileSync(hub.root, 'utf8') + readFileSync(hub.issuing, 'utf8'))
})

after(async () => {
  for (const step of ends.reverse()) await step()
})

function program(name: string, ...args: readonly string[]): Promise<Finished> {
  return run(programPath(name) ?? name, args)
}

function said({ stdout, stderr }: Finished): string {
  return stdout + stderr
}

/** A file with the DER of the one block in another. */
function derOf(pem: string): string {
  const [block] = decodePem(readFileSync(pem, 'utf8'))
  writeFileSync(`${pem}.der`, block?.der ?? new Uint8Array())
  return `${pem}.der`
}

describe('OpenSSL', needs('openssl'), () => {
  const verify = ({ certificate }: Device, crl: string): Promise<Finished> =>
    program(
      'openssl',
      ...['verify', '-x509_strict', '-crl_check', '-CAfile', hub.root, '-untrusted', hub.issuing, '-CRLfile', crl],
      certificate,
    )

  test('accepts what is good and refuses what is revoked, by its shard and by the full CRL', async () => {
    for (const crl of [shard, full]) {
      const accepted = await verify(good, crl)
      assert.equal(accepted.status, 0, said(accepted))
      const refused = await verify(bad, crl)
      assert.equal(refused.status, 2)
      assert.match(said(refused), /certificate revoked/)
    }
  })

  test('takes a shard for no certificate that names another', async () => {
    const stranger = await hub.device('stranger', hub.base.replace('127.0.0.1', 'localhost'))
    const text = await program('openssl', 'crl', '-in', shard, '-noout', '-text')
    assert.match(said(text), /Issuing Distribution Point: critical/)
    assert.ok(said(text).includes(`${hub.base}/crl/${hub.authorityId}/0.crl`))
    const refused = await verify(stranger, shard)
    assert.notEqual(refused.status, 0)
    assert.match(said(refused), /different CRL scope/i)
    const own = await hub.fetched(`/crl/${hub.authorityId}/${stranger.credential.crlShard}.crl`, 'own.pem', 'X509 CRL')
    assert.equal((await verify(stranger, own)).status, 0)
  })

  const ask = (device: Device, ...more: readonly string[]): Promise<Finished> =>
    program(
      'openssl',
      ...['ocsp', '-issuer', hub.issuing, '-cert', device.certificate, '-url', `${hub.base}/ocsp`],
      ...['-CAfile', authorities, ...more],
    )

  test('verifies answers with and without a nonce, by SHA-1 and by SHA-256', async () => {
    for (const more of [['-nonce'], ['-no_nonce'], ['-sha256', '-no_nonce'], ['-sha256', '-nonce']]) {
      // The hash comes before the certificate that it is for.
      const hash = more.filter((each) => each.startsWith('-sha'))
      const rest = more.filter((each) => !each.startsWith('-sha'))
      for (const [device, word] of [
        [good, 'good'],
        [bad, 'revoked'],
      ] as const) {
        const answer = await program(
          'openssl',
          ...['ocsp', ...hash, '-issuer', hub.issuing, '-cert', device.certificate, '-url', `${hub.base}/ocsp`],
          ...['-CAfile', authorities, ...rest],
        )
        assert.equal(answer.status, 0, said(answer))
        assert.match(said(answer), /Response verify OK/)
        assert.match(said(answer), new RegExp(`: ${word}\n`))
        assert.doesNotMatch(said(answer), /WARNING: no nonce/)
      }
    }
    assert.match(said(await ask(bad)), /Reason: keyCompromise/)
  })

  test('hears of a serial number that was never given that it is on hold since 1970', async () => {
    const answer = await program(
      'openssl',
      ...['ocsp', '-issuer', hub.issuing, '-serial', '0x4a4b4c', '-url', `${hub.base}/ocsp`, '-CAfile', authorities],
    )
    assert.match(said(answer), /Response verify OK/)
    assert.match(said(answer), /Reason: certificateHold\n\s*Revocation Time: Jan\s+1 00:00:00 1970 GMT/)
  })

  test('hears that this hub does not answer for another issuer', async () => {
    const answer = await program(
      'openssl',
      ...['ocsp', '-issuer', hub.root, '-cert', hub.issuing, '-url', `${hub.base}/ocsp`, '-CAfile', authorities],
    )
    assert.match(said(answer), /unauthorized/)
  })

  test('reads the responder: for OCSP alone, signed by the issuing authority, with nocheck', async () => {
    const der = join(hub.folder, 'answer.der')
    await ask(good, '-respout', der)
    const text = said(await program('openssl', 'ocsp', '-respin', der, '-noverify', '-text'))
    assert.match(text, /Extended Key Usage: \s*OCSP Signing\n/)
    assert.match(text, /OCSP No Check/)
    assert.match(text, /Responder Id: [0-9A-F]{40}\n/)
  })
})

describe('GnuTLS', needs('certtool', 'ocsptool'), () => {
  test('verifies a shard and a full CRL', async () => {
    for (const crl of [shard, full]) {
      const verified = await program('certtool', '--verify-crl', '--load-ca-certificate', hub.issuing, '--infile', crl)
      assert.equal(verified.status, 0, said(verified))
      assert.match(said(verified), /Verified\. The certificate is trusted/)
    }
  })

  test('accepts what is good and refuses what is revoked, by either', async () => {
    for (const crl of [shard, full]) {
      for (const [device, status] of [
        [good, 0],
        [bad, 1],
      ] as const) {
        const chain = join(hub.folder, 'chain.pem')
        writeFileSync(chain, readFileSync(device.certificate, 'utf8') + readFileSync(hub.issuing, 'utf8'))
        const verified = await program(
          'certtool',
          ...['--verify', '--load-ca-certificate', hub.root, '--load-crl', crl, '--infile', chain],
        )
        assert.equal(verified.status, status, said(verified))
        if (status !== 0) assert.match(said(verified), /revoked/)
      }
    }
  })

  test('verifies answers with and without a nonce', async () => {
    for (const [device, word] of [
      [good, 'good'],
      [bad, 'revoked'],
    ] as const) {
      for (const more of [['--nonce'], []]) {
        const answer = await program(
          'ocsptool',
          ...[`--ask=${hub.base}/ocsp`, '--load-issuer', hub.issuing, '--load-cert', device.certificate],
          ...['--load-trust', authorities, ...more],
        )
        assert.equal(answer.status, 0, said(answer))
        assert.match(said(answer), /Verifying OCSP Response: Success/)
        assert.match(said(answer), new RegExp(`Certificate Status: ${word}`))
      }
    }
  })
})

describe('NSS', needs('certutil', 'crlutil', 'ocspclnt'), () => {
  let database: string

  before(async () => {
    database = temporaryFolder({ after: (step) => ends.push(step) })
    await program('certutil', '-N', '-d', database, '--empty-password')
    const files = { root: hub.root, issuing: hub.issuing, good: good.certificate, bad: bad.certificate }
    for (const [name, file] of Object.entries(files)) {
      const trust = name === 'root' ? 'CT,C,C' : ',,'
      await program('certutil', '-A', '-d', database, '-n', name, '-t', trust, '-i', file)
    }
  })

  const verify = (name: string) => program('certutil', '-V', '-d', database, '-n', name, '-u', 'C')

  test('cannot read a CRL of one distribution point, and says so; the full CRL is for it', async () => {
    const refused = await program('crlutil', '-I', '-d', database, '-i', derOf(shard), '-t', '1')
    assert.match(said(refused), /SEC_ERROR_CRL_UNKNOWN_CRITICAL_EXTENSION/)
    const taken = await program('crlutil', '-I', '-d', database, '-i', derOf(full), '-t', '1')
    assert.equal(taken.status, 0, said(taken))
    assert.match(said(await verify('good')), /certificate is valid/)
    assert.match(said(await verify('bad')), /has been revoked/)
  })

  test('accepts what is good and refuses what is revoked, by the answer of the responder in the certificate', async () => {
    const answer = (name: string) => program('ocspclnt', '-d', database, '-V', name, '-u', 'c')
    assert.match(said(await answer('good')), /"good" succeeded/)
    assert.match(said(await answer('bad')), /"bad" failed.*\s+.*has been revoked/)
  })
})

describe('Mosquitto with the full CRL', needs('mosquitto', 'mosquitto_pub'), () => {
  test('lets in what is good and keeps out what is revoked', async (t) => {
    const broker = await startMosquittoBroker(t, temporaryFolder(t), [
      `cafile ${authorities}`,
      ...[`certfile ${hub.server.certificate}`, `keyfile ${hub.server.key}`, `crlfile ${full}`],
      ...['require_certificate true', 'use_identity_as_username true'],
    ])
    const publish = ({ certificate, key }: Device): Promise<Finished> =>
      program(
        'mosquitto_pub',
        ...['-h', 'localhost', '-p', `${broker.port}`, '--cafile', hub.root, '--cert', certificate, '--key', key],
        ...['-q', '1', '-t', 'x', '-m', 'hello'],
      )
    const admitted = await publish(good)
    assert.equal(admitted.status, 0, said(admitted) + broker.output())
    assert.match(broker.output(), /u'good'/)
    assert.notEqual((await publish(bad)).status, 0)
    assert.doesNotMatch(broker.output(), /u'bad'/)
  })
})
