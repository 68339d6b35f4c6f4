// A TLS server of Node: ca cert key version mode(strict|lax) crl alpn; prints what it sees, then the port.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:tls'

const [ca, cert, key, version, mode, crl, alpn] = process.argv.slice(2)
const server = createServer({
  ca: readFileSync(ca),
  cert: readFileSync(cert),
  key: readFileSync(key),
  ...(crl ? { crl: readFileSync(crl) } : {}),
  ...(alpn ? { ALPNProtocols: [alpn] } : {}),
  ...(version === '1.3' ? { minVersion: 'TLSv1.3' } : version === '1.2' ? { maxVersion: 'TLSv1.2' } : {}),
  requestCert: true,
  rejectUnauthorized: mode === 'strict',
})
server.on('tlsClientError', (error) => console.error('tlsClientError', error))
server.on('secureConnection', (socket) => {
  socket.on('error', (error) => console.error('socket error', error))
  console.error('authorized', socket.authorized, 'authorizationError', socket.authorizationError)
  socket.end()
})
server.listen(0, '127.0.0.1', () => console.log('PORT', server.address().port))
