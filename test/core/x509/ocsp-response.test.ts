import assert from 'node:assert/strict'
import { verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { CodingError } from '../../../src/core/errors.ts'
import { bitStringOctets, DerReader, oidText, openSingle } from '../../../src/core/x509/der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from '../../../src/core/x509/der-tags.ts'
import { readExtensions } from '../../../src/core/x509/extension-reader.ts'
import {
  type AnswerContent,
  ocspErrors,
  ocspToBeSigned,
  responderForm,
  signedOcspResponse,
} from '../../../src/core/x509/ocsp-response.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { certificateId } from './ocsp-support.ts'
import { makeIssuing, makeRoot, signBytes } from './support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const issuing = makeIssuing(makeRoot(validity), validity)
const responder = responderForm(issuing.der, issuing.fields.publicKey)
const id = certificateId(issuing.fields, '4a'.repeat(20))

const content: AnswerContent = {
  answers: [{ certificateId: id, status: { kind: 'good' } }],
  producedAtSec: 1_790_000_300,
  thisUpdateSec: 1_790_000_000,
  nextUpdateSec: 1_790_003_600,
  nonce: null,
}

/** The SingleResponses of an answer, and its extensions. */
function fieldsOf(tbs: Uint8Array) {
  const fields = openSingle(tbs, tags.sequence, 'the ResponseData')
  const name = fields.take(contextConstructed(2), 'the responder, by key')
  const producedAt = fields.take(tags.generalizedTime, 'producedAt')
  const list = fields.enter(tags.sequence, 'the answers')
  const wrapped = fields.takeOptional(contextConstructed(1), 'the extensions')
  fields.assertEnd('the ResponseData')
  const answers = []
  while (!list.atEnd) answers.push(list.enter(tags.sequence, 'an answer'))
  const extensions =
    wrapped === null ? new Map() : readExtensions(new DerReader(wrapped.content).enter(tags.sequence, 'extensions'))
  return { name, producedAt, answers, extensions }
}

describe('an OCSP answer', () => {
  test('repeats the CertID as it was asked, and says thisUpdate and nextUpdate', () => {
    const [answer] = fieldsOf(ocspToBeSigned(responder, content)).answers
    assert.ok(answer !== undefined)
    assert.deepEqual(Buffer.from(answer.take(tags.sequence, 'CertID').bytes), Buffer.from(id))
    assert.equal(answer.take(contextPrimitive(0), 'good').content.length, 0)
    assert.equal(Buffer.from(answer.take(tags.generalizedTime, 'thisUpdate').content).toString(), '20260921141320Z')
    const next = new DerReader(answer.take(contextConstructed(0), 'nextUpdate').content)
    assert.equal(Buffer.from(next.take(tags.generalizedTime, 'nextUpdate').content).toString(), '20260921151320Z')
    answer.assertEnd('an answer')
  })

  test('of a revoked certificate says when and why, and leaves the reason out where it is unspecified', () => {
    const atMs = Date.UTC(2051, 0, 2, 3, 4, 5, 678)
    for (const [reason, octets] of [
      ['keyCompromise', 'a0030a0101'],
      ['certificateHold', 'a0030a0106'],
      ['unspecified', ''],
    ] as const) {
      const status = { kind: 'revoked', atMs, reason } as const
      const [answer] = fieldsOf(
        ocspToBeSigned(responder, { ...content, answers: [{ certificateId: id, status }] }),
      ).answers
      answer?.next('CertID')
      const revoked = new DerReader(answer?.take(contextConstructed(1), 'revoked').content ?? new Uint8Array())
      assert.equal(Buffer.from(revoked.take(tags.generalizedTime, 'the time').content).toString(), '20510102030405Z')
      const rest = revoked.atEnd ? '' : Buffer.from(revoked.next('the reason').bytes).toString('hex')
      assert.equal(rest, octets)
    }
  })

  test('of a certificate that was never issued is a hold since 1970, with the extension that says so (RFC 6960 §2.2)', () => {
    const answers = [...content.answers, { certificateId: id, status: { kind: 'never-issued' } as const }]
    const { answers: found, extensions } = fieldsOf(ocspToBeSigned(responder, { ...content, answers }))
    assert.deepEqual([...extensions.keys()], [oids.ocspExtendedRevoke])
    found[1]?.next('CertID')
    const status = Buffer.from(found[1]?.next('the status').bytes ?? [])
    assert.equal(status.toString('hex'), `a116180f${Buffer.from('19700101000000Z').toString('hex')}a0030a0106`)
    assert.equal(fieldsOf(ocspToBeSigned(responder, content)).extensions.size, 0)
  })

  test('gives a nonce back', () => {
    const nonce = new Uint8Array(128).fill(9)
    const { extensions } = fieldsOf(ocspToBeSigned(responder, { ...content, nonce }))
    const value = Buffer.from(extensions.get(oids.ocspNonce)?.value ?? [])
    assert.equal(value.toString('hex'), `048180${'09'.repeat(128)}`)
  })

  test('is signed by the key whose certificate it carries', () => {
    const tbs = ocspToBeSigned(responder, content)
    const outer = openSingle(
      signedOcspResponse(responder, tbs, signBytes(issuing.key, tbs)),
      tags.sequence,
      'the OCSPResponse',
    )
    assert.deepEqual([...outer.take(tags.enumerated, 'the status').content], [0])
    const bytes = new DerReader(outer.take(contextConstructed(0), 'the bytes').content).enter(
      tags.sequence,
      'the bytes',
    )
    assert.equal(oidText(bytes.take(tags.oid, 'the type')), oids.ocspBasic)
    const basic = openSingle(bytes.take(tags.octetString, 'the answer').content, tags.sequence, 'the answer')
    assert.deepEqual(Buffer.from(basic.take(tags.sequence, 'what is signed').bytes), Buffer.from(tbs))
    basic.take(tags.sequence, 'the algorithm')
    const signature = bitStringOctets(basic.take(tags.bitString, 'the signature'), 'the signature')
    const key = { key: Buffer.from(issuing.fields.publicKey), format: 'der', type: 'spki' } as const
    assert.ok(verify('sha256', tbs, key, signature))
    const certificates = new DerReader(basic.take(contextConstructed(0), 'certificates').content)
    const [certificate] = [certificates.enter(tags.sequence, 'certificates').take(tags.sequence, 'the certificate')]
    assert.deepEqual(Buffer.from(certificate.bytes), Buffer.from(issuing.der))
  })

  test('about nothing, or good for no time, is a mistake of ours', () => {
    assert.throws(() => ocspToBeSigned(responder, { ...content, answers: [] }), CodingError)
    assert.throws(() => ocspToBeSigned(responder, { ...content, nextUpdateSec: content.thisUpdateSec }), CodingError)
  })
})

test('an OCSP error is its status and nothing else (RFC 6960 §4.2.1)', () => {
  const hex = Object.values(ocspErrors).map((der) => Buffer.from(der).toString('hex'))
  assert.deepEqual(hex, ['30030a0101', '30030a0102', '30030a0103', '30030a0106'])
})
