/** The platforms that a ready folder is written for: which keys they read, which files they look for, and the examples beside them. */
import type { KeyObject } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import type { KeyForm } from '../../core/key-file/key-file.ts'
import type { NewKeyKind } from '../../device/private-key.ts'

export const devicePlatforms = [
  'meadow',
  'esp-idf',
  'arduino',
  'paho-c',
  'paho-python',
  'mosquitto',
  'mqttnet',
  'node',
] as const
export type DevicePlatform = (typeof devicePlatforms)[number]

export interface PlatformKit {
  /** As people call it. */
  readonly title: string
  /** `pem`: files of Meadow's names; `pfx`: one file for .NET; `header`: a C header for a sketch. */
  readonly layout: 'pem' | 'pfx' | 'header'
  /** Folder of the credential within the folder that is written, with a slash behind it; empty for that itself. */
  readonly place: string
  readonly keyForm: KeyForm
  /** The kind of key that is made where nothing else is asked for. */
  readonly newKeyKind: NewKeyKind
  readonly readsEd25519: boolean
  /** Whether the key can be under a passphrase there, or always is. */
  readonly passphrase: 'never' | 'optional' | 'always'
  /** Files of `examples/<platform>` with what they are; they stand in the folder under the same names. */
  readonly examples: readonly (readonly [name: string, what: string])[]
}

/** What OpenSSL reads, which the clients for Linux are built on. */
const openssl = {
  layout: 'pem',
  place: '',
  keyForm: 'pkcs8',
  newKeyKind: 'P-256',
  readsEd25519: true,
  passphrase: 'optional',
} as const

/** What every build of mbedTLS from 2.28 on reads. */
const mbedtls = { ...openssl, keyForm: 'traditional', readsEd25519: false } as const

export const platformKits: Readonly<Record<DevicePlatform, PlatformKit>> = {
  meadow: {
    ...mbedtls,
    title: 'Meadow',
    // The kind of Meadow's own instructions.
    newKeyKind: 'RSA-2048',
    examples: [['MeadowApp.cs', 'an application that sends one reading']],
  },
  'esp-idf': {
    ...mbedtls,
    title: 'ESP-IDF',
    place: 'main/',
    examples: [
      ['main/app_main.c', 'a program that sends one reading'],
      ['main/CMakeLists.txt', 'puts key and certificates into the firmware'],
      ['main/idf_component.yml', 'what the program needs beside ESP-IDF itself'],
      ['CMakeLists.txt', 'makes a project of the folder'],
    ],
  },
  arduino: {
    ...mbedtls,
    title: 'Arduino',
    layout: 'header',
    place: 'handfast_device/',
    passphrase: 'never',
    examples: [['handfast_device/handfast_device.ino', 'a sketch for ESP32 and ESP8266 that sends readings']],
  },
  'paho-c': {
    ...openssl,
    title: 'Eclipse Paho for C',
    examples: [['publish.c', 'a program that sends one reading']],
  },
  'paho-python': {
    ...openssl,
    title: 'Eclipse Paho for Python',
    examples: [['publish.py', 'a program that sends one reading']],
  },
  mosquitto: {
    ...openssl,
    title: 'Mosquitto',
    // Clients would ask for it at the terminal each time, and a broker cannot be told it.
    passphrase: 'never',
    examples: [
      ['publish.sh', 'sends a reading with mosquitto_pub'],
      ['listen.sh', 'shows what is sent to and from the device, with mosquitto_sub'],
      ['bridge.conf', 'makes a Mosquitto broker the device'],
    ],
  },
  mqttnet: {
    ...openssl,
    title: 'MQTTnet',
    layout: 'pfx',
    readsEd25519: false,
    passphrase: 'always',
    examples: [
      ['Program.cs', 'a program that sends one reading'],
      ['HandfastDevice.csproj', 'its project'],
    ],
  },
  node: {
    ...openssl,
    title: 'Node.js',
    examples: [
      ['client.mjs', 'a program that sends one reading, with MQTT.js'],
      ['package.json', 'its packages'],
    ],
  },
}

/** @throws HubError `key-unfit-for-platform` */
export function assertReads({ title, readsEd25519 }: PlatformKit, key: KeyObject): void {
  const type = key.asymmetricKeyType
  if (type === 'rsa' || type === 'ec' || (type === 'ed25519' && readsEd25519)) return
  throw new HubError('key-unfit-for-platform', `${title} reads no key of the kind ${type}`)
}

/** Looks at what is asked for before anything is made. @throws HubError `key-unfit-for-platform`, `usage` */
export function assertAsked(
  kit: PlatformKit,
  { keyKind, withPassphrase }: { readonly keyKind: NewKeyKind | null; readonly withPassphrase: boolean },
): void {
  if (keyKind === 'Ed25519' && !kit.readsEd25519) {
    throw new HubError('key-unfit-for-platform', `${kit.title} reads no key of the kind ed25519`)
  }
  if (withPassphrase && kit.passphrase === 'never') {
    throw new HubError('usage', `${kit.title} cannot be told the passphrase of a key`, {
      hint: 'leave it out; the key is written unencrypted, for its owner alone',
    })
  }
}
