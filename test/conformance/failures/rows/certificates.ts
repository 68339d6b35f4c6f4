/** The client shows a certificate that is not accepted: rows 1 to 10, and 16 to 18. */
import assert from 'node:assert/strict'
import type { FailureName } from '../../../../src/core/failure/catalogue.ts'
import { scenarios } from '../../../doctor/log/gather/scenarios.ts'
import { startServer } from '../../../doctor/log/gather/servers.ts'
import { clientOptions, refused } from '../../../support/mqtt-client.ts'
import { type Bed, toldFor } from '../bed.ts'
import type { Row } from '../row.ts'

interface Refused {
  readonly number: number
  readonly title: string
  /** Certificate and key of the authority `plant`. */
  readonly files: string
  /** What the hub says. */
  readonly code: FailureName
  /** The same at a Mosquitto: what it is called in the scenarios, and what the doctor makes of the client's line. */
  readonly elsewhere: readonly [scenario: string, client: FailureName] | null
}

const refusals: readonly Refused[] = [
  {
    number: 1,
    title: 'the certificate has expired',
    files: 'device-expired',
    code: 'certificate-expired',
    elsewhere: ['client certificate expired', 'certificate-expired'],
  },
  {
    number: 2,
    title: 'the certificate is not valid yet',
    files: 'device-future',
    code: 'foreign-not-yet-valid',
    elsewhere: ['client certificate not yet valid', 'certificate-not-yet-valid'],
  },
  {
    number: 3,
    title: 'its authority is unknown',
    files: 'device-other',
    code: 'certificate-foreign-authority',
    elsewhere: ['client certificate of an unknown authority', 'certificate-foreign-authority'],
  },
  {
    number: 5,
    title: 'the certificate is self-signed',
    files: 'device-self-signed',
    code: 'certificate-self-signed',
    elsewhere: ['client certificate self-signed', 'certificate-self-signed'],
  },
  {
    number: 6,
    title: 'its chain ends at a root that is unknown',
    files: 'device-other-chain',
    code: 'certificate-foreign-authority',
    elsewhere: null,
  },
  {
    number: 7,
    title: 'the certificate is one for servers',
    files: 'device-for-servers',
    code: 'certificate-wrong-usage',
    elsewhere: ['client certificate for servers', 'certificate-wrong-usage'],
  },
  {
    number: 8,
    title: 'the certificate may not sign a handshake',
    files: 'device-cannot-sign',
    code: 'certificate-cannot-sign',
    elsewhere: null,
  },
  {
    number: 9,
    title: 'the certificate was signed by one that is no authority',
    files: 'device-below-device-chain',
    code: 'certificate-issuer-no-authority',
    elsewhere: null,
  },
  {
    number: 17,
    title: 'the certificate is signed with SHA-1',
    files: 'device-sha1',
    code: 'certificate-hash-weak',
    elsewhere: null,
  },
]

async function atHub(bed: Bed, files: string, code: FailureName): Promise<void> {
  const { hub, at } = bed
  const pair = { id: 'device', folder: '', ca: hub.ca, cert: at(`${files}.pem`), key: at(`${files}.key`) }
  const { reasonString } = await refused(clientOptions(hub.mqtt.port, pair, 5))
  const attempt = await bed.attempt()
  assert.equal(attempt.code, code, attempt.sentence)
  assert.equal(reasonString, toldFor(attempt))
  if (reasonString?.startsWith('HF-')) bed.says(`Connection refused: ${reasonString}`, code)
}

/** The same at a Mosquitto, which tells eleven causes in the same two lines. */
async function atMosquitto(bed: Bed, name: string, code: FailureName): Promise<void> {
  const scenario = scenarios.find((each) => each.name === name)
  assert.ok(scenario !== undefined, name)
  const server = await startServer('mosquitto', scenario, '1.2', bed.place)
  assert.ok(server !== null)
  const device = scenario.device ?? 'device'
  const files = { ca: bed.at('root.pem'), cert: bed.at(`${device}.pem`), key: bed.at(`${device}.key`) }
  const said = await bed.dial('openssl', { port: server.port, ...files, version: '1.2' })
  const log = await server.stop()
  bed.says(said, code)
  bed.says(log, code)
}

export const rows: readonly Row[] = [
  ...refusals.map(({ number, title, files, code, elsewhere }) => ({
    number,
    title,
    async run(bed: Bed) {
      await atHub(bed, files, code)
      if (elsewhere !== null) await atMosquitto(bed, ...elsewhere)
    },
  })),
  {
    number: 10,
    title: 'the certificate was revoked by the authority that issued it',
    async run(bed) {
      await bed.hub.json(['anchor', 'crl', 'plant', bed.at('crl.pem')])
      await atHub(bed, 'device-revoked', 'foreign-revoked')
      await atMosquitto(bed, 'client certificate revoked', 'certificate-revoked')
    },
  },
  {
    number: 10,
    title: 'the certificate was revoked by the hub',
    async run(bed) {
      const gone = await bed.hub.enrolled('pump-10', `${bed.own.folder}-10`)
      await bed.hub.json(['revoke', 'pump-10'])
      const { reasonString } = await refused(clientOptions(bed.hub.mqtt.port, gone, 5))
      const attempt = await bed.attempt()
      assert.equal(attempt.code, 'certificate-revoked')
      assert.equal(reasonString, 'revoked')
    },
  },
  ...(
    [
      [11, 'the list of revocations of the broker has ended', 'CRL of the server has ended', 'broker-crl-ended'],
      [12, 'the broker has no list of that authority', 'server has no CRL of the issuer', 'broker-crl-missing'],
      [13, 'the list of revocations begins in the future', 'CRL of the server is ahead', 'broker-crl-not-yet-valid'],
      [
        4,
        'the client does not send the certificate between',
        'client sends no intermediate',
        'certificate-foreign-authority',
      ],
    ] as const
  ).map(([number, title, scenario, code]) => ({
    number,
    title,
    run: (bed: Bed) => atMosquitto(bed, scenario, code),
  })),
]
