/** All sources. */
import type { Source } from '../sign.ts'
import { awsCrt } from './aws-crt.ts'
import { curl } from './curl.ts'
import { dotnet } from './dotnet.ts'
import { emqx } from './emqx.ts'
import { espTls } from './esp-tls.ts'
import { gnutls } from './gnutls.ts'
import { go } from './go.ts'
import { java } from './java.ts'
import { mbedtls } from './mbedtls.ts'
import { mosquittoBroker, mosquittoClients } from './mosquitto.ts'
import { node } from './node.ts'
import { openssl } from './openssl.ts'
import { own } from './own.ts'
import { paho } from './paho.ts'
import { pahoPython, python } from './python.ts'
import { system } from './system.ts'
import { wolfssl } from './wolfssl.ts'

/** Every source of lines that is known; where two have the same words the first is named. */
export const sources: readonly Source[] = [
  own,
  mosquittoBroker,
  mosquittoClients,
  emqx,
  openssl,
  node,
  python,
  pahoPython,
  java,
  dotnet,
  go,
  mbedtls,
  espTls,
  wolfssl,
  gnutls,
  curl,
  paho,
  awsCrt,
  system,
]
