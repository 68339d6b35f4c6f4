import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { builtInProfiles, deviceProfile, serverProfile } from '../../../src/core/profile/built-in.ts'
import { parseOwnProfile, profileFromDefinition } from '../../../src/core/profile/own-profile.ts'
import type { Profile } from '../../../src/core/profile/profile.ts'
import { oids } from '../../../src/core/x509/oids.ts'

const own: Profile = { ...deviceProfile, name: 'plc' }

function refuses(change: Partial<Profile>, words: RegExp, code = 'profile-invalid'): void {
  assert.throws(
    () => parseOwnProfile({ ...own, ...change }),
    (error) => error instanceof HubError && error.code === code && words.test(error.message),
    JSON.stringify(change),
  )
}

describe('a profile of an operator', () => {
  test('is every built-in one under another name, if it can be granted', () => {
    for (const profile of builtInProfiles.filter(({ kinds }) => kinds.length > 0)) {
      assert.equal(parseOwnProfile({ ...profile, name: 'mine' }).name, 'mine')
    }
  })

  test('may have both purposes, ten days and RSA of 4096 bits', () => {
    const profile: Profile = {
      ...own,
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: [oids.clientAuth, oids.serverAuth],
      names: { ...own.names, dns: { patterns: ['{id}'], registry: false, requester: [] } },
      keyTypes: ['RSA-4096'],
    }
    assert.deepEqual(parseOwnProfile(profile), profile)
  })

  test('does not take a name that is taken, or that EST has a meaning for', () => {
    for (const { name } of builtInProfiles) refuses({ name }, /is built in/, 'profile-built-in')
    for (const name of ['simpleenroll', 'cacerts']) refuses({ name }, /an operation of EST/)
    for (const name of ['', 'Plc', '1plc', 'a/b', 'a'.repeat(33), 'a_b', 'ä']) refuses({ name }, /is not the name/)
  })

  test('never makes an authority, or somebody who speaks for one', () => {
    refuses({ keyUsage: ['digitalSignature', 'keyCertSign'] }, /keyCertSign is for authorities/)
    refuses({ keyUsage: ['cRLSign'] }, /cRLSign is for authorities/)
    for (const purpose of [
      'ocspSigning',
      'timeStamping',
      'cmcCa',
      'microsoftRequestAgent',
      'anyExtendedKeyUsage',
    ] as const) {
      refuses({ extendedKeyUsage: [oids.clientAuth, oids[purpose]] }, new RegExp(`${purpose} is not given`))
      refuses({ optionalExtendedKeyUsage: [oids[purpose]] }, new RegExp(`${purpose} is not given`))
    }
    refuses({ keyUsage: [] }, /used for anything/)
    refuses({ extendedKeyUsage: [] }, /used for anything/)
  })

  test('does not contradict itself', () => {
    refuses({ lifetimeSec: 100, lifetimeMaxSec: 99 }, /longer than the longest/)
    refuses({ keyTypes: [] }, /at least one type/)
    refuses({ keyUsage: ['digitalSignature', 'keyEncipherment'] }, /for RSA keys alone/)
    refuses({ keyUsage: ['digitalSignature', 'keyAgreement'] }, /for ECDSA keys alone/)
    refuses({ keyUsage: ['digitalSignature', 'encipherOnly'] }, /means nothing without keyAgreement/)
    refuses({ keyUsage: ['nonRepudiation'] }, /TLS needs the key usage/)
    refuses({ extendedKeyUsage: [oids.clientAuth, oids.clientAuth] }, /named twice/)
    refuses({ extendedKeyUsage: [oids.serverAuth], mayConnect: false }, /needs names/)
    refuses({ extendedKeyUsage: [oids.emailProtection] }, /who connects as a client/)
    const id = { type: 'commonName', value: '{id}' } as const
    refuses({ subject: [id, { type: 'countryName', value: 'Germany' }] }, /"Germany" cannot be the countryName/)
    refuses({ subject: [id, id] }, /commonName twice/)
  })

  test('names whoever connects by its id, and by nothing that somebody may edit', () => {
    const commonName = (value: string) => ({ subject: [{ type: 'commonName', value } as const] })
    for (const value of ['{attr.nick}', 'admin', '{id}-2', '{name}'])
      refuses(commonName(value), /commonName of a client/)
    refuses({ subject: [] }, /commonName of a client is "\{id\}", and there is none/)
    refuses({ ...serverProfile, name: 'mine', optionalExtendedKeyUsage: [oids.clientAuth] }, /commonName of a client/)
    assert.ok(parseOwnProfile({ ...own, subject: [], mayConnect: false }))
    assert.ok(parseOwnProfile({ ...serverProfile, name: 'mine' }))
  })

  test('for mbedTLS has a common name and keys that it reads', () => {
    const mbedtls = { compatibility: 'mbedtls' } as const
    assert.ok(parseOwnProfile({ ...own, ...mbedtls }))
    refuses({ ...mbedtls, subject: [], mayConnect: false }, /needs a commonName/)
    refuses({ ...mbedtls, keyTypes: ['P-256', 'Ed25519'] }, /does not read Ed25519/)
    refuses({ names: { ...own.names, addressesAsDns: true } }, /are for the compatibility "mbedtls"/)
  })

  test('bounds what an order may name by domains and networks, in their usual spelling', () => {
    const names = (dns: readonly string[], ip: readonly string[]) => ({
      ...serverProfile.names,
      dns: { patterns: [], registry: true, requester: dns },
      ip: { patterns: [], registry: true, requester: ip },
    })
    const parsed = parseOwnProfile({
      ...own,
      names: names(['Plant.Example'], ['10.0.0.0/8', '2001:DB8::/32', '0.0.0.0/0']),
    })
    assert.deepEqual(parsed.names.dns.requester, ['plant.example'])
    assert.deepEqual(parsed.names.ip.requester, ['10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0'])
    for (const domain of ['*.plant.example', '.plant.example', '', '10.0.0.0']) {
      refuses({ names: names([domain], []) }, /is not a domain/)
    }
    for (const network of [
      '10.0.0.1/8',
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0.0/08',
      'plant.example',
      '/8',
      '2001:db8::/129',
    ]) {
      refuses({ names: names([], [network]) }, /is not a network/)
    }
  })

  test('that was written for an earlier version is as a device in what came later', () => {
    const { approval: _approval, renewal: _renewal, ...earlier } = own
    assert.deepEqual(profileFromDefinition(JSON.stringify(earlier)), own)
  })
})
