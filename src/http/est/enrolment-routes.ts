/** `simpleenroll`, `simplereenroll` and `serverkeygen` (RFC 7030 §4.2, §4.4). */
import type { FastifyReply } from 'fastify'
import {
  type CertificateRequest,
  parseCertificateRequest,
  requestWithKey,
} from '../../core/x509/certificate-request.ts'
import { assertBoundTo } from '../../hub/channel-binding.ts'
import { type EnrolmentRequest, type EnrolmentWithKey, enrol, enrolWithServerKey } from '../../hub/enrol.ts'
import { grantedProfile } from '../../hub/profiles.ts'
import { makeServerKey } from '../../hub/server-key.ts'
import { requestBody } from './base64.ts'
import { type Admitted, assertAdmitted } from './certificate-caller.ts'
import { type AddOperation, type EstRequest, type EstServerOptions, sendCertificate } from './est-server.ts'
import { assertNoEnvelopeAsked, keyPassphraseOf, serverKeyAnswer } from './server-key-parts.ts'

type Parts = Pick<EstServerOptions, 'hub' | 'renewal'>

export function addEnrolment(add: AddOperation, parts: Parts): void {
  const { hub } = parts

  add('POST', 'simpleenroll', async (asked) => {
    const certificateRequest = requestBody(asked.request.body)
    if (showsCertificate(asked)) return renewed(parts, asked, certificateRequest)
    const credential = await enrol(hub, enrolmentRequest(asked, certificateRequest))
    return sendCertificate(asked.reply, credential.certificate)
  })

  // Whoever renews shows what is to be renewed; a token says nothing about that.
  add('POST', 'simplereenroll', (asked) => renewed(parts, asked, requestBody(asked.request.body)))

  add('POST', 'serverkeygen', async (asked) => {
    const { request, reply } = asked
    const certificateRequest = requestBody(request.body)
    const passphrase = keyPassphraseOf(request.headers)
    const csr = parseCertificateRequest(certificateRequest)
    assertNoEnvelopeAsked(csr)
    const made = showsCertificate(asked)
      ? await renewedWithServerKey(parts, asked, csr)
      : await enrolWithServerKey(hub, enrolmentRequest(asked, certificateRequest))
    const { contentType, body } = serverKeyAnswer(hub, {
      ...made,
      certificate: made.credential.certificate,
      passphrase,
    })
    // Handed out once: nobody on the way may keep it.
    return reply.header('Content-Type', contentType).header('Cache-Control', 'no-store').send(body)
  })
}

/** A token goes before a certificate: who brings one wants what it is for (RFC 7030 §3.2.3). */
function showsCertificate({ caller }: EstRequest): boolean {
  return caller.tokenText === null && caller.certificate !== null
}

function enrolmentRequest({ caller, label }: EstRequest, certificateRequest: Uint8Array): EnrolmentRequest {
  const { tokenText, claimedId, binding } = caller
  return { tokenText, claimedId, certificateRequest, label, binding }
}

/** @throws HubError the refusal of what was shown, or `enrolments-too-many` */
async function judgedForRenewal({ renewal, hub }: Parts, asked: EstRequest): Promise<Admitted> {
  const judgement = await renewal.judge(asked.caller.certificate)
  asked.judged(judgement)
  assertAdmitted(judgement)
  hub.rates.ofIdentity(judgement.identity.id)
  return judgement
}

async function renewed(parts: Parts, asked: EstRequest, certificateRequest: Uint8Array): Promise<FastifyReply> {
  const { credential } = await judgedForRenewal(parts, asked)
  assertBoundTo(parseCertificateRequest(certificateRequest), asked.caller.binding)
  const { label, caller } = asked
  const order = { credential, certificateRequest, label, keyOrigin: 'holder', address: caller.address } as const
  return sendCertificate(asked.reply, (await parts.renewal.renew(order)).certificate)
}

async function renewedWithServerKey(
  parts: Parts,
  asked: EstRequest,
  csr: CertificateRequest,
): Promise<EnrolmentWithKey> {
  const { credential, identity } = await judgedForRenewal(parts, asked)
  assertBoundTo(csr, asked.caller.binding)
  const { label, caller } = asked
  const profile = await grantedProfile(parts.hub.store, identity, label ?? credential.profile)
  const serverKey = await makeServerKey(profile)
  // The client's request as it is, with our key in it: the rules for requests are then the same for both.
  const certificateRequest = requestWithKey(csr, serverKey.publicKey, serverKey.privateKey)
  const order = { credential, certificateRequest, label, keyOrigin: 'hub', address: caller.address } as const
  return { credential: await parts.renewal.renew(order), serverKey, profile }
}
