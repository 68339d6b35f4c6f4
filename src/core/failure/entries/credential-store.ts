/** HF-752x to 755x: the credential store of a device, and credentials that its owner brings. */
import { entry } from '../failure.ts'

export const credentialStoreFailures = {
  'key-certificate-mismatch': entry(
    'HF-7520',
    'enrolment',
    'device',
    'invalid',
    'general',
    'the certificate is for another key than the one that came with it',
    'bring the key that the certificate was made for: `openssl pkey -in <key> -pubout` and `openssl x509 -in <certificate> -noout -pubkey` print the same then',
  ),
  'credential-file-unreadable': entry(
    'HF-7521',
    'enrolment',
    'device',
    'malformed',
    'general',
    'a file with a key or certificate holds something else than it should, or in a form that is not read',
    'bring certificate and key as PEM, DER or PFX',
  ),
  'credential-passphrase-wrong': entry(
    'HF-7522',
    'enrolment',
    'device',
    'invalid',
    'general',
    'a key that was brought is encrypted, and its passphrase is missing or wrong',
    'name the file that holds its passphrase: --key-pass at `enrol`, else --pass; in a folder it is private_key_pass.txt',
  ),
  'import-out-of-date': entry(
    'HF-7523',
    'enrolment',
    'device',
    'invalid',
    'general',
    'the certificate that is to be imported is not in date',
    'check the clock of this device; if it is right, bring a certificate that is good now',
  ),
  'import-chain-broken': entry(
    'HF-7524',
    'enrolment',
    'device',
    'invalid',
    'general',
    'the certificates that are to be imported are no chain',
    'put the certificate first and the one that issued it behind it, each certified by the next',
  ),
  'import-incomplete': entry(
    'HF-7525',
    'enrolment',
    'device',
    'local',
    'general',
    'of certificate and key that are to be imported, one is missing',
    'bring both at once: client_cert.pem and private_key.pem, or a PFX',
  ),
} as const
