import assert from 'node:assert/strict'
import { checkPrimeSync, createPublicKey, generatePrimeSync, type JsonWebKey, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { assertAcceptableKey } from '../../../src/core/x509/public-key.ts'
import { ecKey, rsaKey } from './support.ts'

const any = { keyTypes: ['P-256', 'P-384', 'P-521', 'RSA'] } as const

function spkiOfJwk(key: JsonWebKey): Uint8Array {
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' })
}

function rsaOf(p: bigint, q: bigint): Uint8Array {
  const hex = (p * q).toString(16)
  const n = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
  return spkiOfJwk({ kty: 'RSA', n, e: 'AQAB' })
}

function prime(bits: number): bigint {
  return generatePrimeSync(bits, { bigint: true })
}

function nextPrime(from: bigint): bigint {
  let next = from + 2n
  while (!checkPrimeSync(next)) next += 2n
  return next
}

/** A prime as the library at fault in CVE-2017-15361 makes them: k·M + (65537^a mod M). */
function rocaPrime(bits: number): bigint {
  let product = 1n
  for (let n = 2n; n < 168n; n++) if (checkPrimeSync(n)) product *= n
  for (;;) {
    const kBytes = Math.ceil((bits - product.toString(2).length) / 8)
    const k = BigInt(`0x${randomBytes(kBytes).toString('hex')}`) | (1n << BigInt(kBytes * 8 - 1))
    const a = randomBytes(4).readUInt32BE()
    let power = 1n
    for (let bit = 31; bit >= 0; bit--) {
      power = (power * power) % product
      if ((a >>> bit) & 1) power = (power * 65_537n) % product
    }
    const candidate = k * product + power
    if (checkPrimeSync(candidate)) return candidate
  }
}

function refuses(spki: Uint8Array, words: RegExp): void {
  assert.throws(() => assertAcceptableKey(spki, any), { code: 'csr-key-unacceptable', message: words })
}

describe('a key that others can use', () => {
  test('is refused when it is one of the published test keys of RFC 9500', () => {
    for (const [name, jwk] of Object.entries(rfc9500)) refuses(spkiOfJwk(jwk), new RegExp(`published.*${name}`))
  })

  test('is refused when its primes are close to each other', () => {
    const p = prime(1024)
    refuses(rsaOf(p, nextPrime(p)), /Fermat/)
    refuses(rsaOf(p, nextPrime(p + (1n << 500n))), /Fermat/)
  })

  test('is refused when it bears the fingerprint of ROCA', () => {
    refuses(rsaOf(rocaPrime(1024), rocaPrime(1024)), /ROCA/)
  })

  test('is refused when its modulus has a small factor', () => {
    // The other factor need not be prime, and a prime of its size takes long to find.
    const rest = prime(1_024) * prime(1_036)
    for (const factor of [3n, 7n, 751n]) refuses(rsaOf(factor, rest), new RegExp(`divisible by ${factor}`))
  })
})

test('an honest key has no weakness', () => {
  for (let n = 0; n < 4; n++) assertAcceptableKey(rsaOf(prime(1024), prime(1024)), any)
  for (const bits of [2048, 3072]) assertAcceptableKey(rsaKey(bits).spki, any)
  for (const curve of ['P-256', 'P-384'] as const) assertAcceptableKey(ecKey(curve).spki, any)
})

const rfc9500: Readonly<Record<string, JsonWebKey>> = {
  testRSA2048: {
    kty: 'RSA',
    n: 'sPnoGUOnrpiSqt4XynxA-HRP7S-BSObI6qJ7fQAVSPtRkqsotWxQYLEYzNEx5ZSHTGypibVsJylvCfuToDTfMul8b_CZjP2Ob0LdpYrNH6l5hvFE89FU1nZQF15oVLOpUgA7wGiHuEVawrGfey92UE68mOyUVXGweJIVDdxqdMoPvNNUl86BU02vlBiESxOuox-dWmuVV7vfYZ79Toh_LUK43YvJh-rhv4nKuF7iHjVjBd9sB6iDjj70HFldzOQ9r8SRI-9NirupPTkF5AKNe6kUhKJ1luB7S27ZkvB3tSTT3P593VVJvnzOjaA1z6Cz-4-eRvcysqhrRgFlwI9TEw',
    e: 'AQAB',
  },
  testRSA4096: {
    kty: 'RSA',
    n: 's4tJYOY75qjbqJqCl47x9jJE5Vd9jPWGFtXKV1nUnMjZNsM4qjy5sRHBSX5bUa9pLyYR5on3Z1SAwLD0w2VPQ6-F_oyK1zTgQqitoF_XZQjgC6D3VsNEO76DPqfRANT7Nn7r1gvbZIZ3_H3rlCRNrRr47tHGWBLAPnxz9_NY6UG8ZkWP97uXpJqYoRgH4CwaO5rTOlc64YDh_0Mq5VgMycq_q2AvMlvNoJfoe8em1040qH1gikP-suT_8fS452hqmEddtRpuvQgXKldBd0kkiyFVyLkG4NVA6Mso9MAK3J_kdYoaw2SrOeThVSiYVEQVP-7GrUxTSLLjj_VQ9fpYM5eTNzDICIG_Ee7o_jhtW1EoSamDmUOr89lyIHaXuOwkEaJhnVXKBCM8WiztxvKG2CnQ6Dcge3ZSmqJEhyEmjcAVC7ewfnMxOnE-WJW6rzrf-mA5WMVn-FzyWx2AondWow0aUKHkaY7amhIrsKp6YPfNImyxFlz8-cqDCmBswPsUh_JJ5eDHHIhibFcSgIHedsEjhLbUSLZ_DnEjru90qIWWA3R1VIPykKfeZkZeInsrFzGPikkFKwFF-6KDdyvCmltYEqzO46tigXAZ5UgH8oiXEre48wO6X-FH-cLzQ0q3A8HZRnNDgqCjU_Tgy76iaku_Ic6eteedR1fX3gJ_IOU',
    e: 'AQAB',
  },
  testECCP256: {
    kty: 'EC',
    crv: 'P-256',
    x: 'QiVI-I-3gv-17KN0RFLHKh5Vj71vc75eSOkyMsxFxbE',
    y: 'bEzRDEy41bihcTnpSILImSVymTQl9BQZq36QpCpJQnI',
  },
  testECCP384: {
    kty: 'EC',
    crv: 'P-384',
    x: 'WwkBuIUjKW65GdUP-hqcs3S8TUCVhigr_soRsdla27VHNK9XC_grcijPImvPTCXd',
    y: 'vP47GjrTlDDv92Ph1o0uFR2Rcgt3lbWNprNGOWE6j7m1qNpIxnRxF_mRnoQk837I',
  },
  testECCP521: {
    kty: 'EC',
    crv: 'P-521',
    x: 'AdD9cleoTHR_ViV1wHOF2-vy9SvqWAg9uC_dFTHYquPMh1_wL_f6LaJg2Oti1tL11kknjjIXNqBijLuzAwi25hjb',
    y: 'APYq0gTGRgNZvIGKuJYb8PD8DsWq6KQoFzzlbwDemxV8HlyCxk9WL8re_EpMKPbTQs8-9hb8gtM7coXJIfK_Nv3Y',
  },
}
