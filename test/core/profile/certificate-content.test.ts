import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import type { IdentityId } from '../../../src/core/identity/id.ts'
import { noNames } from '../../../src/core/identity/identity.ts'
import { deviceProfile, dualProfile, serverProfile, userProfile } from '../../../src/core/profile/built-in.ts'
import { noNameSources, type Profile } from '../../../src/core/profile/profile.ts'
import { assertRequestFits } from '../../../src/core/profile/request-check.ts'
import { certificateTemplate } from '../../../src/core/profile/templates.ts'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateRequest } from '../../../src/core/x509/certificate-request.ts'
import { openDer } from '../../../src/core/x509/der-reader.ts'
import { type Extension, subjectAltName } from '../../../src/core/x509/extensions.ts'
import { buildName, nameText, readName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { makeRequest } from '../x509/request-support.ts'
import { crlUrl, ecKey, issue, makeCertificate, makeIssuing, makeRoot, newSerial } from '../x509/support.ts'
import { contentOf } from './facts.ts'

const daySec = 86_400
const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const issuing = makeIssuing(makeRoot(validity), validity)

function refuses(act: () => unknown, code: string, words: RegExp): void {
  assert.throws(act, (error) => error instanceof HubError && error.code === code && words.test(error.message))
}

function subjectText(content: ReturnType<typeof contentOf>): string {
  return nameText(readName(openDer(content.subject).next('the subject'), 'the subject'))
}

describe('the profile decides', () => {
  test('a device is its id and its SPIFFE ID, whatever names the registry holds', () => {
    const names = { dnsNames: ['pump.plant.example'], ipAddresses: ['10.0.0.1'], emails: ['a@b.example'] }
    const content = contentOf(deviceProfile, { names })
    assert.equal(subjectText(content), 'CN=pump-1')
    assert.equal(content.uri, 'spiffe://plant.example/device/pump-1')
    assert.deepEqual([content.dnsNames, content.ipAddresses, content.emails], [[], [], []])
  })

  test('subject and names by patterns, in its order', () => {
    const profile: Profile = {
      ...dualProfile,
      subject: [
        { type: 'countryName', value: 'DE' },
        { type: 'organizationalUnitName', value: '{group}' },
        { type: 'commonName', value: '{id}' },
      ],
      names: {
        ...dualProfile.names,
        dns: { patterns: ['{id}.{attr.site}.{realm}'], registry: false, requester: [] },
        ip: { patterns: ['{attr.address}'], registry: false, requester: [] },
      },
    }
    const facts = { group: 'line 2', attributes: { site: 'hall-2', address: '2001:DB8::7' } }
    const content = contentOf(profile, facts)
    assert.equal(subjectText(content), 'CN=pump-1,OU=line 2,C=DE')
    assert.deepEqual(content.dnsNames, ['pump-1.hall-2.plant.example'])
    assert.deepEqual(content.ipAddresses, ['2001:db8::7'])
    refuses(() => contentOf(profile, { attributes: facts.attributes }), 'attribute-missing', /has no group/)
    const bad = { ...facts, attributes: { ...facts.attributes, address: '10.0.0.0/8' } }
    refuses(() => contentOf(profile, bad), 'name-invalid', /"10\.0\.0\.0\/8" is not the address of a host/)
  })

  test('whether an IPv4 address is a DNS name too, for mbedTLS 2', () => {
    const profile: Profile = { ...serverProfile, names: { ...serverProfile.names, addressesAsDns: true } }
    const names = { dnsNames: [], ipAddresses: ['10.3.0.11', '2001:db8::7'], emails: [] }
    const content = contentOf(profile, { names })
    assert.deepEqual(content.dnsNames, ['10.3.0.11'])
    assert.deepEqual(content.ipAddresses, ['10.3.0.11', '2001:db8::7'])
    assert.equal(subjectText(content), 'CN=10.3.0.11')
  })
})

describe('the registry decides', () => {
  test('the names of servers and the mailboxes of people', () => {
    const names = { dnsNames: ['broker.plant.example'], ipAddresses: ['10.3.0.11'], emails: ['ada@plant.example'] }
    const server = contentOf(serverProfile, { id: 'broker' as IdentityId, kind: 'service', names })
    assert.equal(subjectText(server), 'CN=broker.plant.example')
    assert.deepEqual([server.dnsNames, server.ipAddresses, server.emails], [names.dnsNames, names.ipAddresses, []])
    const user = contentOf(userProfile, { id: 'ada' as IdentityId, kind: 'user', names })
    assert.equal(user.uri, 'spiffe://plant.example/user/ada')
    assert.deepEqual([user.dnsNames, user.ipAddresses, user.emails], [[], [], names.emails])
  })

  test('and a server without a name is none', () => {
    refuses(() => contentOf(serverProfile), 'names-missing', /"pump-1" has no name for .* "server"/)
    refuses(() => contentOf(dualProfile), 'names-missing', /"dual"/)
  })

  test('and an id that reads like a host is not one, where clients would take it for the name of the server', () => {
    const names = { ...noNames, ipAddresses: ['10.3.0.11'] }
    const id = 'bank.example' as IdentityId
    refuses(() => contentOf(dualProfile, { id, names }), 'name-invalid', /"bank\.example" would be taken for the name/)
    contentOf(dualProfile, { id: 'press-4' as IdentityId, names })
    contentOf(dualProfile, { id, names: { ...names, dnsNames: ['press-4.plant.example'] } })
  })
})

describe('the requester decides', () => {
  const bounded: Profile = {
    ...serverProfile,
    name: 'edge',
    optionalExtendedKeyUsage: [oids.clientAuth],
    names: {
      ...serverProfile.names,
      dns: { ...noNameSources, registry: true, requester: ['plant.example'] },
      ip: { ...noNameSources, requester: ['10.3.0.0/16', '2001:db8::/32'] },
      email: { ...noNameSources, requester: ['plant.example'] },
    },
  }

  test('names within the bounds of the profile', () => {
    const content = contentOf(
      bounded,
      {},
      { dnsNames: ['Broker.plant.example', 'plant.example'], ipAddresses: ['10.3.255.1', '2001:DB8::1'] },
    )
    assert.deepEqual(content.dnsNames, ['broker.plant.example', 'plant.example'])
    assert.deepEqual(content.ipAddresses, ['10.3.255.1', '2001:db8::1'])
  })

  test('and nothing beyond them', () => {
    const beyond = [
      { dnsNames: ['broker.plant.example.evil'] },
      { dnsNames: ['evilplant.example'] },
      { dnsNames: ['example'] },
      { ipAddresses: ['10.4.0.1'] },
      { ipAddresses: ['2001:db9::1'] },
      { emails: ['ada@sub.plant.example'] },
      { emails: ['ada@evil.example'] },
    ]
    for (const order of beyond) {
      refuses(
        () => contentOf(bounded, {}, { dnsNames: ['a.plant.example'], ...order }),
        'order-asks-too-much',
        /"edge"/,
      )
    }
    refuses(
      () => contentOf(deviceProfile, {}, { dnsNames: ['pump.example'] }),
      'order-asks-too-much',
      /"pump\.example"/,
    )
    refuses(() => contentOf(serverProfile, {}, { dnsNames: ['*.plant.example'] }), 'name-invalid', /wildcards/)
    refuses(() => contentOf(serverProfile, {}, { dnsNames: ['10.0.0.1'] }), 'name-invalid', /address/)
  })

  test('and may repeat what the registry holds', () => {
    const names = { ...noNames, dnsNames: ['broker.other.example'] }
    assert.deepEqual(contentOf(bounded, { names }, { dnsNames: names.dnsNames }).dnsNames, names.dnsNames)
  })

  test('a lifetime up to the longest of the profile, and a purpose that it leaves open', () => {
    const order = { dnsNames: ['a.plant.example'] }
    const { profile } = contentOf(
      bounded,
      {},
      { ...order, lifetimeSec: 90 * daySec, extendedKeyUsage: [oids.clientAuth] },
    )
    assert.equal(profile.lifetimeSec, 90 * daySec)
    assert.deepEqual(profile.extendedKeyUsage, [oids.serverAuth, oids.clientAuth])
    const tooLong = { ...order, lifetimeSec: 399 * daySec }
    refuses(() => contentOf(bounded, {}, tooLong), 'order-asks-too-much', /399 days, and 398 days are the most/)
    refuses(() => contentOf(bounded, {}, { ...order, lifetimeSec: 1 }), 'order-asks-too-much', /1 s/)
    const signing = { ...order, extendedKeyUsage: [oids.codeSigning] }
    refuses(() => contentOf(bounded, {}, signing), 'order-asks-too-much', /codeSigning/)
  })
})

test('a certificate says its content, with the places of its status that the profile names and that there are', () => {
  const content = contentOf(serverProfile, {}, { dnsNames: ['a.example'], ipAddresses: ['10.0.0.1'] })
  const key = ecKey()
  const template = (urls: { ocspUrl: string | null; caIssuersUrl: string | null }, status = content.profile.status) =>
    readCertificate(
      issue(
        certificateTemplate({
          publicKey: key.spki,
          serialNumber: newSerial(),
          validity,
          issuer: issuing.fields,
          content: { ...content, profile: { ...content.profile, status } },
          crlUrl,
          ...urls,
        }),
        issuing.key,
      ),
    )
  const all = template({ ocspUrl: 'http://hub.example/ocsp', caIssuersUrl: 'http://hub.example/ca.cer' })
  assert.deepEqual(
    [all.dnsNames, all.ipAddresses, all.extendedKeyUsage],
    [['a.example'], ['10.0.0.1'], [oids.serverAuth]],
  )
  assert.deepEqual(all.crlDistributionPoints, [crlUrl])
  assert.ok(all.extensions.has(oids.authorityInfoAccess))
  assert.ok(!template({ ocspUrl: null, caIssuersUrl: null }).extensions.has(oids.authorityInfoAccess))
  const silent = template({ ocspUrl: 'http://hub.example/ocsp', caIssuersUrl: null }, { crl: false, ocsp: false })
  assert.deepEqual([silent.crlDistributionPoints, silent.extensions.has(oids.authorityInfoAccess)], [[], false])
})

test('a subject without attributes makes the alternative names critical', () => {
  const longest = Array.from({ length: 4 }, () => 'a'.repeat(60)).join('.')
  const names = readCertificate(
    makeCertificate(issuing, validity, contentOf(serverProfile, {}, { dnsNames: [longest] })),
  )
  assert.equal(nameText(names.subject), '')
  assert.equal(names.extensions.get(oids.subjectAltName)?.critical, true)
})

describe('whatever a certificate request says', () => {
  const names = { dnsNames: ['press-4.plant.example'], ipAddresses: ['10.3.0.11'], emails: [] }
  const key = ecKey()
  const asked = fc.record({
    commonName: fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })),
    dnsNames: fc.array(fc.oneof(fc.domain(), fc.constant('*.plant.example'), fc.constant('press-4.plant.example')), {
      maxLength: 3,
    }),
    ipAddresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 3 }),
    emails: fc.array(fc.constantFrom('root@plant.example', 'a@b.example'), { maxLength: 2 }),
    uris: fc.array(fc.constantFrom('spiffe://plant.example/device/hub', 'https://evil.example'), { maxLength: 2 }),
    excess: fc.constantFrom('refuse' as const, 'ignore' as const),
  })

  test('it cannot change the names in the certificate: it is refused, or they are those of the registry', () => {
    fc.assert(
      fc.property(asked, ({ commonName, excess, ...san }) => {
        const profile: Profile = { ...dualProfile, excess }
        const content = contentOf(profile, { id: 'press-4' as IdentityId, names })
        const some = Object.values(san).some((list) => list.length > 0)
        const extensions: Extension[] = some ? [subjectAltName(san, false)] : []
        const subject = commonName === null ? {} : { subject: buildName(commonName) }
        const request = parseCertificateRequest(makeRequest({ ...subject, key, extensions }))
        try {
          assertRequestFits(request, content)
        } catch (error) {
          assert.ok(error instanceof HubError && error.code === 'csr-asks-too-much')
          assert.equal(excess, 'refuse')
          return
        }
        const made = readCertificate(makeCertificate(issuing, validity, content, { ...key, spki: request.publicKey }))
        assert.equal(nameText(made.subject), 'CN=press-4')
        assert.deepEqual(made.uris, ['spiffe://plant.example/device/press-4'])
        assert.deepEqual([made.dnsNames, made.ipAddresses, made.emails], [names.dnsNames, names.ipAddresses, []])
      }),
      { numRuns: 200 },
    )
  })
})
