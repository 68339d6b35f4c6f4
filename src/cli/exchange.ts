/** One HTTP request to the admin API of a hub, over its unix socket or over TLS. */
import { type ClientRequest, request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { tlsOptionsOf } from './client-certificate.ts'
import type { HubLocation } from './locate-hub.ts'

/** Opens a request with the key of the hub, or the certificate; the caller ends it. */
export function openRequest(hub: HubLocation, options: RequestOptions): ClientRequest {
  const whole: RequestOptions = {
    ...options,
    agent: false,
    headers: {
      ...(hub.key === null ? {} : { Authorization: `Bearer ${hub.key.reveal()}` }),
      Accept: 'application/json',
      ...options.headers,
    },
  }
  if (hub.kind === 'socket') return plainRequest({ ...whole, socketPath: hub.socketPath })
  const request = hub.url.protocol === 'https:' ? tlsRequest : plainRequest
  return request(hub.url, {
    ...whole,
    ...(hub.ca === null ? {} : { ca: hub.ca.pem }),
    ...(hub.certificate === null ? {} : tlsOptionsOf(hub.certificate)),
  })
}
