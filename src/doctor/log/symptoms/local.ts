/** Files and keys of the program itself, and the network before TLS. */
import { certain, either, likely, possible, seen, vague } from '../symptom.ts'

const nul = 'where a C program hands the PEM over by its length'

export const localSymptoms = {
  'key-mismatch': either('key and certificate of its own do not belong together', certain('key-certificate-mismatch')),
  'passphrase-missing': either(
    'a key is encrypted and no passphrase was given',
    likely('device-key-passphrase-missing'),
    possible('device-key-passphrase-wrong'),
  ),
  'passphrase-wrong': either(
    'the passphrase does not open the key',
    likely('device-key-passphrase-wrong', 'a line end in the file of the passphrase counts for some programs'),
    possible('device-key-passphrase-missing'),
  ),
  'pem-no-begin': either(
    'there is no BEGIN line where PEM should be',
    possible('file-unrecognised', 'the file may hold DER, or something else altogether'),
    possible('pem-boundary-damaged'),
    possible('text-wide-characters', 'a file that PowerShell wrote with ">" is UTF-16'),
    possible('file-empty'),
    possible('pem-length-short', nul),
  ),
  'pem-no-end': either(
    'a PEM block has no END line that fits',
    likely('pem-cut-short'),
    possible('pem-boundary-damaged'),
  ),
  'pem-base64': either('a PEM block holds what is not base64', likely('pem-text-damaged'), possible('pem-cut-short')),
  'key-unreadable': either(
    'a key cannot be read',
    possible('file-unrecognised', 'the file may hold something else than a key'),
    possible('pem-cut-short'),
    possible('pem-text-damaged'),
    possible('pem-length-short', nul),
    possible('text-wide-characters', 'a file that PowerShell wrote with ">" is UTF-16'),
    possible('key-type-unsupported'),
    possible('key-encryption-unsupported'),
    possible('device-key-passphrase-wrong'),
  ),
  'certificate-unreadable-here': either(
    'a certificate of its own cannot be read',
    possible('file-unrecognised', 'the file may hold something else than a certificate'),
    possible('pem-cut-short'),
    possible('pem-text-damaged'),
    possible('pem-length-short', nul),
    possible('text-wide-characters', 'a file that PowerShell wrote with ">" is UTF-16'),
  ),
  'file-unfit': vague(
    either(
      'a file of key or certificate cannot be used, and it is not said why',
      possible('key-certificate-mismatch'),
      possible('device-key-passphrase-wrong'),
      possible('device-key-passphrase-missing'),
      possible('pem-cut-short'),
      possible('pem-text-damaged'),
      possible('file-unrecognised'),
      possible('client-file-unopened'),
      possible('certificate-key-weak'),
      possible('certificate-hash-weak'),
    ),
  ),
  'file-unopened': either('a file cannot be opened', certain('client-file-unopened')),
  'key-encryption': either(
    'a key is encrypted in a way that it does not know',
    likely('key-encryption-unsupported', 'mbedTLS before 3.6 knows no AES in PKCS#8, and without DES no DES3'),
  ),
  'key-type': either('a key is of a kind or on a curve that it does not know', likely('key-type-unsupported')),
  'own-key-weak': seen(
    'a key that was to be loaded is too weak for this program',
    [certain('certificate-key-weak')],
    [certain('hub-certificate-weak')],
  ),
  'own-hash-weak': seen(
    'a certificate that was to be loaded is signed with a hash that is too weak for this program',
    [certain('certificate-hash-weak')],
    [certain('hub-certificate-weak')],
  ),
  'name-not-found': either('the name is not known', likely('name-not-found'), possible('name-not-resolved')),
  'name-not-resolved': either('no DNS server answers', likely('name-not-resolved')),
  'port-refused': either('nothing listens on the port, or a firewall rejects it', likely('port-refused')),
  'refused-in-words': either(
    'the connection was refused',
    likely('port-refused'),
    possible('broker-refused-unexplained', 'where the words go on with a reason'),
  ),
  'port-silent': either('no answer came in time', likely('port-silent'), possible('host-unreachable')),
  'host-unreachable': either('there is no way to the address', certain('host-unreachable')),
  'connect-failed': vague(
    either(
      'no connection came about',
      possible('port-refused'),
      possible('port-silent', 'a firewall that drops packets looks like this'),
      possible('host-unreachable'),
      possible('name-not-found'),
    ),
  ),
}
